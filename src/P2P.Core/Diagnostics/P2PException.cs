namespace P2P.Core;

/// <summary>The world failed: a peer, the disk or the network. The message is a sentence that says what was tried and what to do.</summary>
/// <remarks>A caller's mistake is an <see cref="ArgumentException"/> or <see cref="InvalidOperationException"/>; cancellation is an <see cref="OperationCanceledException"/>.</remarks>
public class P2PException : Exception
{
    /// <summary>Creates the failure.</summary>
    /// <param name="code">Why it failed.</param>
    /// <param name="message">A sentence: what was tried, why it failed, what to do.</param>
    /// <param name="innerException">What the system reported, if anything.</param>
    public P2PException(P2PErrorCode code, string message, Exception? innerException = null)
        : base(message, innerException) => Code = code;

    /// <summary>Why it failed.</summary>
    public P2PErrorCode Code { get; }

    /// <summary>Whether the same call may succeed later without any change by the caller.</summary>
    public bool IsTransient { get; init; }

    /// <summary>The file of the data folder that is damaged, when that is why; starting with <see cref="StorageOptions.IndexRebuild"/> or repairing may mend it.</summary>
    public string? DamagedFile { get; init; }

    /// <summary>What was tried, one entry for each address or source, in the order tried; empty when nothing was dialed.</summary>
    public IReadOnlyList<DialAttempt> Attempts { get; init; } = [];
}

/// <summary>One thing that was tried and failed.</summary>
/// <param name="Address">The address or source, as text.</param>
/// <param name="Error">What went wrong, in a few words.</param>
public sealed record DialAttempt(string Address, string Error);
