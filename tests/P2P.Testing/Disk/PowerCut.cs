namespace P2P.Testing;

/// <summary>
/// What is left of changes that were not flushed when the power goes. The system writes dirty pages back when and in which order it likes, and the disk
/// writes sectors, so anything between nothing and everything is possible:
/// nothing; everything; the first changes, the last of them torn; any subset of the sectors or pages. The length is metadata and goes to the disk by
/// itself, so it may be that of any moment since the flush, what the data did not reach being zeros. The sector that was being written
/// may hold garbage. Never touched: bytes that were flushed and not written since (SQLite and everybody else call that power-safe overwrite).
/// </summary>
internal static class PowerCut
{
    private const int SectorBytes = 512;
    private const int PageBytes = 4096;

    /// <summary>Applies to the flushed bytes what survives of the changes since. False: nothing did.</summary>
    public static bool Apply(IReadOnlyList<FileChange> changes, ref byte[] bytes, ref int length, Random random)
    {
        int flushedLength = length;
        switch (random.Next(6))
        {
            case 0:
                return false;
            case 1:
                foreach (FileChange change in changes)
                    change.Apply(ref bytes, ref length);
                return true;
            case 2:
                ApplyFirst(changes, ref bytes, ref length, random);
                break;
            case 3:
                ApplySome(changes, PageBytes, ref bytes, ref length, random);
                break;
            default:
                ApplySome(changes, SectorBytes, ref bytes, ref length, random);
                break;
        }
        if (random.Next(4) == 0)
        {
            int survived = random.Next(changes.Count + 1) is var moment and > 0 ? changes[moment - 1].Length : flushedLength;
            FaultyFile.Cut(ref bytes, length, survived);
            length = survived;
        }
        if (random.Next(8) == 0)
            PutGarbage(changes[random.Next(changes.Count)], bytes, length, random);
        return true;
    }

    private static void ApplyFirst(IReadOnlyList<FileChange> changes, ref byte[] bytes, ref int length, Random random)
    {
        int count = random.Next(changes.Count);
        for (int i = 0; i < count; i++)
            changes[i].Apply(ref bytes, ref length);
        if (changes[count].Data is { Length: > 0 } torn)
            changes[count].ApplyPart(ref bytes, ref length, 0, Math.Min(torn.Length, random.Next((torn.Length / SectorBytes) + 1) * SectorBytes));
    }

    private static void ApplySome(IReadOnlyList<FileChange> changes, int unitBytes, ref byte[] bytes, ref int length, Random random)
    {
        double share = random.Next(3) switch { 0 => 0.1, 1 => 0.5, _ => 0.9 };
        foreach (FileChange change in changes)
        {
            if (change.Data is null)
            {
                if (random.NextDouble() < share)
                    change.Apply(ref bytes, ref length);
                continue;
            }
            for (int start = 0; start < change.Data.Length;)
            {
                // Units lie on the disk's own grid, whatever the writes' offsets.
                int count = Math.Min(change.Data.Length - start, unitBytes - ((change.Offset + start) % unitBytes));
                if (random.NextDouble() < share)
                    change.ApplyPart(ref bytes, ref length, start, count);
                start += count;
            }
        }
    }

    private static void PutGarbage(FileChange change, byte[] bytes, int length, Random random)
    {
        if (change.Data is not { Length: > 0 } data)
            return;
        int start = change.Offset + (random.Next(((data.Length - 1) / SectorBytes) + 1) * SectorBytes);
        int end = Math.Min(Math.Min(start + SectorBytes, change.Offset + data.Length), length);
        if (start < end)
            random.NextBytes(bytes.AsSpan(start, end - start));
    }
}
