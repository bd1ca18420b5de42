using System.Security.Cryptography;

namespace P2P.Core.Store;

/// <summary>The rows of what others asked to be kept here, and the number of the store's life that goes with them. See <see cref="LeaseRow"/>.</summary>
internal static class LeaseTable
{
    /// <summary>Length of the store's epoch (bytes).</summary>
    public const int EpochBytes = 16;

    /// <summary>Not copied when a lost index is rebuilt: what was held is then void, and the new epoch says so.</summary>
    private const string EpochSetting = IndexEditor.InternalPrefix + "epoch";

    private const string Columns = "publisher, run_key, pin, origin, envelope, keep_until";

    /// <summary>Every row, without its blocks.</summary>
    public static IReadOnlyList<LeaseRow> GetLeases(this BlockStore store) => store.Query($"SELECT {Columns} FROM leases", Read);

    /// <summary>The list of blocks of a row; empty when there is none.</summary>
    public static ReadOnlyMemory<byte> GetLeaseEntries(this BlockStore store, PinId pin) =>
        store.Query("SELECT entries FROM leases WHERE pin=?1", static row => row.GetBlob(0).ToArray(), statement => statement.Bind(1, pin.Value)) is [byte[] entries] ? entries : default;

    /// <summary>Writes a row in place of the one before, and removes the pin that the one before had.</summary>
    public static Task SetLeaseAsync(this BlockStore store, LeaseRow lease, CancellationToken cancellationToken) =>
        store.Writer.ApplyAsync(editor => editor.SetLease(lease), 1, Durability.Flushed, cancellationToken);

    /// <summary>Removes rows whose time is over, with their pins.</summary>
    public static Task RemoveLeasesAsync(this BlockStore store, DateTimeOffset endedBy, CancellationToken cancellationToken) =>
        store.Writer.ApplyAsync(editor => editor.RemoveLeases(endedBy), 1, Durability.Visible, cancellationToken);

    /// <summary>Which life of the store this is: 16 bytes drawn when the index was made. What was promised in another life is void.</summary>
    public static async Task<ReadOnlyMemory<byte>> GetEpochAsync(this BlockStore store, CancellationToken cancellationToken)
    {
        if (store.GetSetting(EpochSetting) is { } known)
            return Convert.FromHexString(known);
        byte[] drawn = RandomNumberGenerator.GetBytes(EpochBytes);
        await store.Writer.ApplyAsync(editor => editor.SetSetting(EpochSetting, Convert.ToHexStringLower(drawn)), 1, Durability.Flushed, cancellationToken).ConfigureAwait(false);
        return drawn;
    }

    private static LeaseRow Read(IndexStatement row) => new()
    {
        Publisher = row.GetBlob(0).ToArray(),
        RunKey = row.GetBlob(1).ToArray(),
        Pin = new PinId(row.GetInt64(2)),
        Origin = unchecked((ulong)row.GetInt64(3)),
        Envelope = row.GetBlob(4).ToArray(),
        KeepUntil = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(5)),
    };
}
