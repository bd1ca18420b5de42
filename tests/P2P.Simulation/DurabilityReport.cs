using System.Globalization;

namespace P2P.Simulation;

/// <summary>What became of the content.</summary>
internal sealed record DurabilityReport
{
    public required string Name { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Blocks watched (count).</summary>
    public required int Blocks { get; init; }

    /// <summary>Blocks of which no node has a copy any more, away or not (count).</summary>
    public required int LostBlocks { get; init; }

    /// <summary>Runs that these are in: a run is kept together, and lost together.</summary>
    public required int LostRuns { get; init; }

    /// <summary>Shares that miss a block for ever.</summary>
    public required int LostFiles { get; init; }

    /// <summary>The part of the block-time in which no holder that is there had the block.</summary>
    public required double Unavailable { get; init; }

    /// <summary>Copies made for each block and day, those of the first placement left out.</summary>
    public required double CopiesPerBlockAndDay { get; init; }

    /// <summary>Copies that went for ever with their holders, for each block and day: what has to be made anew however clever one is.</summary>
    public required double LostCopiesPerBlockAndDay { get; init; }

    /// <summary>For each day, the part of blocks of which a copy was made.</summary>
    public required IReadOnlyList<double> RepairedEachDay { get; init; }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name}, seed {Seed}: {Blocks} blocks, lost {LostBlocks} blocks in {LostRuns} runs of {LostFiles} files, unavailable {Unavailable:0.0e+0}, copies made {CopiesPerBlockAndDay:0.00} a block and day, gone for ever {LostCopiesPerBlockAndDay:0.00}");
}
