using P2P.Cli.Tests.Support;

namespace P2P.Cli.Tests.EndToEnd.Kills;

/// <summary>What is shared and fetched while processes are killed: made from a seed, incompressible, every block another one.</summary>
internal static class KillContent
{
    private const int Block = 1 << 20;
    private const int TwinBytes = 20_000;

    /// <summary>A file of several blocks; sometimes of a whole number of them.</summary>
    public static string File(TemporaryFolder folder, string name, Random random)
    {
        long bytes = random.Next(4) == 0 ? random.Next(1, 8) * (long)Block : random.Next(1, 10 * Block);
        return folder.File(name, bytes, random.Next());
    }

    /// <summary>A tree: empty and small files, some of several blocks, some alike, folders in folders, a link.</summary>
    public static string Tree(TemporaryFolder folder, string name, Random random)
    {
        int files = random.Next(30, 150);
        for (int i = 0; i < files; i++)
        {
            int bytes = random.Next(20) switch
            {
                0 => 0,
                1 => random.Next(Block, 3 * Block),
                < 12 => random.Next(1, 5_000),
                _ => random.Next(5_000, 200_000),
            };
            string inside = string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => $"d{random.Next(3)}/"));
            if (random.Next(10) == 0)
                folder.File($"{name}/{inside}f{i}", TwinBytes, seed: 1);
            else
                folder.File($"{name}/{inside}f{i}", bytes, random.Next());
        }

        Directory.CreateDirectory(folder[name, "empty"]);
        System.IO.File.CreateSymbolicLink(folder[name, "link"], "f0");
        return folder[name];
    }

    /// <summary>How many bytes of whole blocks stand right at one of the places where a fetch may have put them.</summary>
    public static long Intact(string original, params string[] places)
    {
        if (!Directory.Exists(original))
            return places.Max(place => IntactOfFile(original, place));
        long sum = 0;
        foreach (string path in Directory.EnumerateFiles(original, "*", SearchOption.AllDirectories).Where(path => new FileInfo(path).LinkTarget is null))
            sum += places.Max(place => IntactOfFile(path, Path.Combine(place, Path.GetRelativePath(original, path))));
        return sum;
    }

    private static long IntactOfFile(string original, string place)
    {
        if (!System.IO.File.Exists(place))
            return 0;
        using FileStream a = System.IO.File.OpenRead(original), b = System.IO.File.OpenRead(place);
        byte[] left = new byte[Block], right = new byte[Block];
        long sum = 0;
        int count;
        while ((count = a.ReadAtLeast(left, Block, throwOnEndOfStream: false)) > 0)
        {
            int there = b.ReadAtLeast(right.AsSpan(0, count), count, throwOnEndOfStream: false);
            if (left.AsSpan(0, count).SequenceEqual(right.AsSpan(0, there)))
                sum += count;
        }

        return sum;
    }
}
