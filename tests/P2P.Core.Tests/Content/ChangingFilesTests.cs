using P2P.Core.Content;
using P2P.Core.Store;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Content;

/// <summary>
/// Goal: whatever is done to shared files, what is served is what was imported, and what was just imported is served. Method: seeded random changes to a
/// small tree, shared again and again by both chunkers, with every block ever imported remembered and asked for.
/// </summary>
[TestClass]
public sealed class ChangingFilesTests
{
    private const int MiB = 1 << 20;

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(4)]
    [DataRow(5)]
    [DataRow(6)]
    public async Task What_is_served_was_imported_and_what_was_imported_just_now_is_served(int seed)
    {
        await using Store.StoreFixture fixture = await Store.StoreFixture.OpenAsync();
        var run = new Run(fixture, seed);
        for (int step = 0; step < 120; step++)
        {
            string done = await run.StepAsync();
            run.Check($"seed {seed}, step {step}: {done}");
        }
    }

    [TestMethod]
    [SlowTest]
    public async Task The_same_holds_for_many_more_seeds()
    {
        for (int seed = 100; seed < 200; seed++)
            await What_is_served_was_imported_and_what_was_imported_just_now_is_served(seed);
    }

    private sealed class Run(Store.StoreFixture fixture, int seed)
    {
        private const int Names = 8;

        private readonly Random _random = new(seed);
        private readonly Dictionary<Cid, byte[]> _imported = [];
        private readonly Dictionary<string, byte[]> _removed = [];
        private readonly List<PinId> _pins = [];
        private DateTime _clock = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        private string Tree => Path.Combine(fixture.UserPath, "t");

        public async Task<string> StepAsync()
        {
            Directory.CreateDirectory(Tree);
            string file = Path.Combine(Tree, $"{_random.Next(Names)}"), other = Path.Combine(Tree, $"{_random.Next(Names)}");
            switch (_random.Next(12))
            {
                case 0 or 1:
                    byte[] content = new byte[(_random.Next(3) * MiB / 2) + _random.Next(200_000)];
                    _random.NextBytes(content);
                    await File.WriteAllBytesAsync(file, content);
                    Stamp(file);
                    return $"write {file}";
                case 2 when File.Exists(file) && new FileInfo(file).Length > 0:
                    await using (FileStream edit = new(file, FileMode.Open))
                    {
                        edit.Position = _random.NextInt64(edit.Length);
                        edit.WriteByte((byte)_random.Next(256));
                    }

                    Stamp(file);
                    return $"edit {file}";
                case 3 when File.Exists(file):
                    await using (FileStream cut = new(file, FileMode.Open))
                        cut.SetLength(_random.NextInt64(cut.Length + 100));
                    Stamp(file);
                    return $"resize {file}";
                case 4 when File.Exists(file):
                    _removed[file] = await File.ReadAllBytesAsync(file);
                    File.Delete(file);
                    return $"remove {file}";
                case 5 when _removed.TryGetValue(file, out byte[]? back):
                    await File.WriteAllBytesAsync(file, back);
                    Stamp(file);
                    return $"bring back {file}";
                case 6 when File.Exists(file) && file != other:
                    File.Move(file, other, overwrite: true);
                    return $"move {file} to {other}";
                case 7 when File.Exists(file) && file != other:
                    File.Copy(file, other, overwrite: true);
                    Stamp(other);
                    return $"copy {file} to {other}";
                case 8 when File.Exists(file):
                    Stamp(file);
                    return $"touch {file}";
                case 9 when _pins.Count > 2:
                    PinId gone = _pins[_random.Next(_pins.Count)];
                    _pins.Remove(gone);
                    await fixture.Store.RemovePinAsync(gone, CancellationToken.None);
                    await fixture.Store.CollectGarbageAsync(CancellationToken.None);
                    return "end a share and collect";
                case 10:
                    await fixture.ReopenAsync();
                    return "reopen";
                default:
                    return await ImportAsync();
            }
        }

        // nothing wrong is ever served
        public void Check(string when)
        {
            foreach ((Cid cid, byte[] bytes) in _imported)
            {
                if (_random.Next(4) == 0 && fixture.Serve(cid, _random.Next(2) == 0 ? BlockReadPurpose.Serve : BlockReadPurpose.Verify) is { } served)
                    Assert.IsTrue(bytes.AsSpan().SequenceEqual(served), when);
            }
        }

        // half of the changes long ago, each at a time of its own; the others just now, when the next may have the same time
        private void Stamp(string file)
        {
            if (_random.Next(2) == 0)
                File.SetLastWriteTimeUtc(file, _clock = _clock.AddSeconds(10));
        }

        private async Task<string> ImportAsync()
        {
            bool byContent = _random.Next(3) == 0;
            PinId pin = await fixture.PinAsync();
            _pins.Add(pin);
            var options = new ImportOptions { CutsByContent = byContent, Workers = 2 };
            IChunker chunker = options.MakeChunker();
            await new Importer(fixture.Store, fixture.Buffers, options).ImportAsync([Tree], pin, null, CancellationToken.None);
            foreach (string file in Directory.GetFiles(Tree))
            {
                byte[] content = await File.ReadAllBytesAsync(file);
                for (int at = 0, length; at < content.Length; at += length)
                {
                    length = chunker.NextLength(content.AsSpan(at));
                    byte[] leaf = content[at..(at + length)];
                    Cid cid = Cid.OfRaw(leaf);
                    _imported[cid] = leaf;
                    byte[]? served = fixture.Serve(cid);
                    Assert.IsNotNull(served, $"seed {seed}: a block of {file} is not served right after the import");
                    Assert.IsTrue(leaf.AsSpan().SequenceEqual(served));
                }
            }

            await fixture.SettleAsync();
            return $"share (by content: {byContent})";
        }
    }
}
