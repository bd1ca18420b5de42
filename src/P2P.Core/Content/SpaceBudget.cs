namespace P2P.Core.Content;

/// <summary>Counts what a fetch will write against the room that there is, before it is written. Called from several workers.</summary>
/// <param name="folder">Where the room is, for the message.</param>
/// <param name="room">The most bytes.</param>
internal sealed class SpaceBudget(string folder, long room)
{
    private const int NodeShare = 16; // more than a sixteenth of a claim is never nodes, but in trees of tiny files that fit anywhere

    private long _taken;

    /// <summary>Bytes counted so far.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Compares what the content claims of its size with the room, before anything is written. What folders claim includes their own nodes, so only a claim that is clearly too much counts; the rest is found file by file.</summary>
    /// <exception cref="P2PException">NoSpace: there is no room for them.</exception>
    public void Expect(long claimed)
    {
        if (claimed - (claimed / NodeShare) > room)
            throw DiskFault.TooLittleSpace(folder, claimed, room);
    }

    /// <summary>Counts bytes that will be written.</summary>
    /// <exception cref="P2PException">NoSpace: there is no room for them.</exception>
    public void Take(long bytes)
    {
        long taken = Interlocked.Add(ref _taken, bytes);
        if (taken > room || taken < 0)
            throw DiskFault.TooLittleSpace(folder, taken, room);
    }
}
