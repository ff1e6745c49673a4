namespace Minigrad.Operations;

/// <summary>A binary operation of which one operand is a number, as a message has to say it.</summary>
internal interface IPartialApplication
{
    /// <summary>The number, and whether it is the first operand.</summary>
    (float Number, bool IsFirst) Constant { get; }
}
