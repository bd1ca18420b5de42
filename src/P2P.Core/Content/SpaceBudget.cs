namespace P2P.Core.Content;

/// <summary>Counts what a fetch will write against the room that there is, before it is written. Called from several workers.</summary>
/// <param name="folder">Where the room is, for the message.</param>
/// <param name="room">The most bytes.</param>
internal sealed class SpaceBudget(string folder, long room)
{
    private long _taken;

    /// <summary>Bytes counted so far.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Counts bytes that will be written.</summary>
    /// <exception cref="P2PException">NoSpace: there is no room for them.</exception>
    public void Take(long bytes)
    {
        long taken = Interlocked.Add(ref _taken, bytes);
        if (taken > room || taken < 0)
            throw DiskFault.TooLittleSpace(folder, taken, room);
    }
}
