namespace P2P.Core.Store;

/// <summary>Adds the counters of pin sets up to what a user wants to know.</summary>
internal static class UsageReport
{
    /// <summary>Sums. Needs time for the pin sets, not for the blocks.</summary>
    public static StoreUsage Of(IEnumerable<(long Set, BlockStanding Standing, UsageCount Count)> counts, PinTable pins)
    {
        StoreUsage usage = default;
        PurposeUsage[] purposes = [.. Enum.GetValues<PinPurpose>().Select(purpose => new PurposeUsage(purpose, pins.Pins.Count(pin => pin.Kind.ToPurpose() == purpose), 0, 0, 0, 0))];
        foreach ((long set, BlockStanding standing, UsageCount count) in counts)
        {
            List<Pin> keepers = pins.PinsOf(set);
            bool isOwned = standing is BlockStanding.Inline or BlockStanding.OwnedFile;
            usage = usage with
            {
                Blocks = usage.Blocks + count.Blocks,
                OwnedBlocks = usage.OwnedBlocks + (isOwned ? count.Blocks : 0),
                OwnedBytes = usage.OwnedBytes + (isOwned ? count.Bytes : 0),
                BlockFileBytes = usage.BlockFileBytes + (standing == BlockStanding.OwnedFile ? count.Bytes : 0),
                ReferencedBlocks = usage.ReferencedBlocks + (standing == BlockStanding.Referenced ? count.Blocks : 0),
                ReferencedBytes = usage.ReferencedBytes + (standing == BlockStanding.Referenced ? count.Bytes : 0),
                LostBlocks = usage.LostBlocks + (standing == BlockStanding.Lost && keepers.Count > 0 ? count.Blocks : 0),
                ReclaimableBytes = usage.ReclaimableBytes + (isOwned && keepers.Count == 0 ? count.Bytes : 0),
            };
            foreach (PinPurpose purpose in keepers.Select(pin => pin.Kind.ToPurpose()).Distinct())
            {
                ref PurposeUsage sum = ref purposes[(int)purpose];
                if (isOwned)
                    sum = sum with { OwnedBlocks = sum.OwnedBlocks + count.Blocks, OwnedBytes = sum.OwnedBytes + count.Bytes };
                else if (standing == BlockStanding.Referenced)
                    sum = sum with { ReferencedBlocks = sum.ReferencedBlocks + count.Blocks, ReferencedBytes = sum.ReferencedBytes + count.Bytes };
            }
        }
        return usage with { ByPurpose = purposes };
    }

    /// <summary>The kind as users see it.</summary>
    public static PinPurpose ToPurpose(this PinKind kind) => kind switch
    {
        PinKind.Kept => PinPurpose.Pinned,
        PinKind.Fetched => PinPurpose.Fetched,
        PinKind.Shared => PinPurpose.Shared,
        PinKind.Seeded => PinPurpose.Seeded,
        PinKind.Held => PinPurpose.Held,
        _ => PinPurpose.InProgress,
    };
}
