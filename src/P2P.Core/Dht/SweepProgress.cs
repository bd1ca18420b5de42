namespace P2P.Core.Dht;

/// <summary>How far a sweep has come. Times count from 1970, so that they hold across restarts.</summary>
/// <param name="Cursor">Everything before this point was announced in this round.</param>
/// <param name="Due">When what is at the cursor is due.</param>
/// <param name="LastActive">When the sweep last did something.</param>
/// <param name="Rush">Which part of the keyspace, 0 to 1, is still to be announced without pause: after a long absence.</param>
/// <param name="Addresses">Where this node said to be; empty: it has not said it yet.</param>
internal sealed record SweepProgress(DhtKey Cursor, TimeSpan Due, TimeSpan LastActive, double Rush, string Addresses = "");
