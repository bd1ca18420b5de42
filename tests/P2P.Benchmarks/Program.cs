using P2P.Benchmarks;

// Each case prints what it measured as a table row for docs/performance.md. Only ratios within one run count: machines drift.
string name = args.FirstOrDefault() ?? "help";
int rounds = args.Length > 1 && int.TryParse(args[1], System.Globalization.CultureInfo.InvariantCulture, out int given) ? given : 5;
return name switch
{
    "fetch" => await FetchCase.RunAsync(rounds),
    "import" => await ImportCase.RunAsync(rounds),
    "small" => await SmallFilesCase.RunAsync(rounds),
    "relay" => await RelayCase.RunAsync(rounds),
    "player" => await PlayerCase.RunAsync(rounds),
    "start" => await StartCase.RunAsync(rounds),
    "allocations" => await AllocationsCase.RunAsync(),
    "index" => await IndexCase.RunAsync(rounds),
    IndexCase.Measuring => await IndexCase.MeasureAsync(args[1]),
    "trees" => await TreesCase.RunAsync(rounds),
    "gc" => await GcCase.RunAsync(rounds),
    "private" => await PrivateCase.RunAsync(rounds),
    "growth" => await GrowthCase.RunAsync(rounds),
    "chunker" => ChunkerCase.Run(rounds),
    _ => Help(),
};

static int Help()
{
    Console.WriteLine("""
        dotnet run --project tests/P2P.Benchmarks -c Release -- CASE [ROUNDS]
          fetch        1 GiB between two processes on loopback, beside the bare pipeline of $P2P_BENCH/limit
          import       1 GiB shared in place, beside reading and hashing it with SHA-256 on all cores
          small        10,000 files of 10 KiB shared and fetched, beside libtorrent ($P2P_BENCH/native) and a bare loop that writes them
          relay        256 MiB at 63 ms and 400 Mbit/s, beside one bare TCP stream through the same relay
          player       a video player's way through 256 MiB at 63 ms and 400 Mbit/s: seeks, stalls, bytes fetched; then end to end, beside a fetch
          start        process start to exit of `p2p id` and of `p2p fetch` of 52 KB; the same fetch in a warm process
          allocations  bytes allocated for each block of a 256 MiB fetch within this process
          index        1,000,000 blocks in the index: opening it, `has`, memory
          trees        100,000 files of 1 KiB shared by the tool, and again when nothing has changed
          gc           100,000 owned blocks collected, alone and beside a fetch of 1 GiB
          chunker      FastCDC alone on 1 GiB, and how much of it is found again after 100 insertions of 1 KiB
          private      256 MiB shared and fetched openly and privately, two nodes in one process: what sealing costs
          growth       what sharing 1 GiB in place adds to the data folder, while the process runs and when it has ended
        P2P_BENCH names the folder of the peers to measure beside; without it those columns are missing. P2P_BENCH_DATA: scratch folder.
        """);
    return 2;
}
