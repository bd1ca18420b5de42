namespace P2P.Cli.Control;

/// <summary>What a command that runs on another process's node knows of that: the node, and whether its owner ends under it.</summary>
internal sealed class Attachment(SharedNode shared)
{
    private volatile bool _isAbandoned;

    public SharedNode Shared => shared;

    /// <summary>Whether the owner ends and the command's own user has not asked for the end: the command goes on elsewhere.</summary>
    public bool IsAbandoned => _isAbandoned;

    public void Abandon() => _isAbandoned = true;

    /// <summary>Ends the command's flow without a word when it goes on elsewhere.</summary>
    public void ThrowIfAbandoned()
    {
        if (_isAbandoned)
            throw new OwnerEndedException();
    }
}

/// <summary>The process whose node a command runs on ends; the command goes on in its own process.</summary>
internal sealed class OwnerEndedException() : Exception("The process that runs the node ends.");
