namespace Minigrad;

/// <summary>In which format numbers are kept between operations; see <see cref="EmulatedPrecision"/>.</summary>
public enum Precision : byte
{
    /// <summary>IEEE single precision (binary32): 24 significant bits, from 1.4·10⁻⁴⁵ to 3.4·10³⁸. What tensors hold.</summary>
    Full = 0,

    /// <summary>IEEE half precision (binary16): 11 significant bits, from 6·10⁻⁸ to 65504. Small gradients vanish, large ones overflow.</summary>
    Half = 1,

    /// <summary>bfloat16: 8 significant bits over the range of float32.</summary>
    BFloat16 = 2,
}
