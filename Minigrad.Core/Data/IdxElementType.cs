namespace Minigrad.Data;

/// <summary>What the elements of an IDX file are; the values are those that the file holds.</summary>
public enum IdxElementType
{
    /// <summary>No type; no file holds it.</summary>
    None = 0,

    /// <summary>One byte, 0 to 255, as grey values and labels.</summary>
    Unsigned8 = 0x08,

    /// <summary>One byte, −128 to 127.</summary>
    Signed8 = 0x09,

    /// <summary>Two bytes with a sign.</summary>
    Signed16 = 0x0B,

    /// <summary>Four bytes with a sign.</summary>
    Signed32 = 0x0C,

    /// <summary>A float of four bytes.</summary>
    Real32 = 0x0D,

    /// <summary>A float of eight bytes.</summary>
    Real64 = 0x0E,
}
