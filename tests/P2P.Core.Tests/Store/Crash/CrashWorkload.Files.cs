using P2P.Core.Store;

namespace P2P.Core.Tests.Store.Crash;

/// <content>The user's files: shared in place, edited behind the store's back, fetched into place.</content>
internal sealed partial class CrashWorkload
{
    private const int Paths = 4;

    /// <summary>Source files by the store's number, and the model's own numbers, which are never used twice.</summary>
    private readonly Dictionary<long, int> _files = [];

    /// <summary>Files whose bytes may have been wrong at some time: the store may have found out and forgotten places in them.</summary>
    private readonly HashSet<int> _doubtful = [];

    /// <summary>What fetches write: the blocks of each file in order, and how many are written.</summary>
    private readonly Dictionary<string, (int[] Blocks, int Done)> _fetches = new(StringComparer.Ordinal);

    /// <summary>The store's numbers of the parts that are being written; forgotten at a restart, as the fetch forgets them.</summary>
    private readonly Dictionary<string, FileId> _fetchFiles = new(StringComparer.Ordinal);

    private int _lastFile;

    /// <summary>Files that lie elsewhere in one of the states than in another are not to be relied on.</summary>
    public void DoubtMoved(List<CrashState> states)
    {
        foreach ((int file, string path) in states[0].Files)
        {
            if (states.Exists(state => state.Files.GetValueOrDefault(file) != path))
                _doubtful.Add(file);
        }
    }

    private async Task ShareFileAsync()
    {
        string path = $"{CrashWorld.UserPath}/f{random.Next(Paths)}";
        int[] blocks = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => AnyBlock())];
        if (random.Next(3) > 0 || !world.Disk.TryGetIdentity(path, out FileIdentity identity))
        {
            WriteUserFile(path, blocks);
            world.Disk.TryGetIdentity(path, out identity);
        }
        else
        {
            // Shared again as it is: whatever the blocks are, they may not be what lies there.
            byte[] bytes = ReadUserFile(path);
            blocks = [.. blocks.TakeWhile((block, i) => StartsAt(bytes, block, LengthOf(blocks.Take(i))))];
        }
        world.Time.Advance(TimeSpan.FromSeconds(random.Next(5)));
        string? pin = AnyPin();
        using StoreBatch batch = Store.BeginBatch(IdOf(pin));
        FileRegistration file = batch.AddFile(path, identity);
        CrashState next = Current;
        if (!_files.TryGetValue(file.Id.Value, out int number) || !IsKnown(file, path))
        {
            _files[file.Id.Value] = number = ++_lastFile;
            Doubt(path);
            next = next with { Files = next.Files.SetItem(number, path) };
        }
        int offset = 0;
        foreach (int block in blocks)
        {
            int length = CrashCorpus.DataOf(block).Length;
            batch.AddReference(CrashCorpus.CidOf(block), file.Id, offset, length);
            next = next.WithBlock(block, pin, place: (number, offset));
            offset += length;
        }
        if (random.Next(4) > 0)
            batch.FinishFile(file.Id, identity, CrashCorpus.CidOf(0));
        await CommitAsync(batch, next, $"share {path} as file {number} to {pin}");
    }

    private bool IsKnown(FileRegistration file, string path) =>
        _files.TryGetValue(file.Id.Value, out int number) && Current.Files.TryGetValue(number, out string? known) && known == path;

    private void WriteUserFile(string path, int[] blocks)
    {
        Doubt(path);
        world.Disk.Delete(path);
        using IDiskFile file = world.Disk.Create(path);
        int offset = 0;
        foreach (int block in blocks)
        {
            file.Write(CrashCorpus.DataOf(block), offset);
            offset += CrashCorpus.DataOf(block).Length;
        }
        if (random.Next(3) == 0)
            return;
        file.Flush();
        world.Disk.FlushFolder(CrashWorld.UserPath);
    }

    private async Task EditFileAsync()
    {
        string path = $"{CrashWorld.UserPath}/f{random.Next(Paths)}";
        if (world.Disk.FindFile(path) is not { Length: > 0 } file)
            return;
        int how = random.Next(4);
        Note($"edit {path} ({how switch { 0 => "delete", 1 => "cut", 2 => "rename", _ => "write" }})");
        Doubt(path);
        switch (how)
        {
            case 0:
                world.Disk.Delete(path);
                break;
            case 1:
                world.Disk.Truncate(file, random.Next(file.Length));
                break;
            case 2:
                string newPath = $"{CrashWorld.UserPath}/f{random.Next(Paths)}";
                Doubt(newPath);
                world.Disk.Rename(path, newPath);
                using (StoreBatch batch = Store.BeginBatch())
                {
                    batch.Relocate(path, newPath);
                    await CommitAsync(batch, Current.Relocated(path, newPath), $"relocate {path} to {newPath}");
                }
                break;
            default:
                byte[] bytes = new byte[random.Next(1, 100)];
                random.NextBytes(bytes);
                world.Disk.Write(file, bytes, random.Next(file.Length));
                break;
        }
    }

    /// <summary>A fetch begins, goes on, ends or is given up.</summary>
    private async Task FetchAsync()
    {
        if (Current.Resumes.Count == 0 || random.Next(4) == 0)
        {
            await BeginFetchAsync();
            return;
        }
        (string key, (string part, string pin)) = Current.Resumes.ElementAt(random.Next(Current.Resumes.Count));
        (int[] blocks, int done) = _fetches[key];
        if (random.Next(12) == 0)
            await GiveUpFetchAsync(key, part, pin);
        else if (done < blocks.Length)
            await GoOnWithFetchAsync(key, part, pin);
        else
            await EndFetchAsync(key, part, pin);
    }

    private async Task BeginFetchAsync()
    {
        string key = $"fetch{++_lastName}", part = $"{CrashWorld.UserPath}/{key}.part", pin = $"p{++_lastName}";
        await AddPinAsync(pin, PinKind.Temporary);
        _fetches[key] = ([.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => AnyBlock())], 0);
        using StoreBatch batch = Store.BeginBatch(_pins[pin]);
        batch.SetResume(new ResumeState(key, CrashCorpus.CidOf(2), $"{CrashWorld.UserPath}/{key}", part, _pins[pin]));
        await CommitAsync(batch, Current with { Resumes = Current.Resumes.SetItem(key, (part, pin)) }, $"begin {key}");
    }

    private async Task GoOnWithFetchAsync(string key, string part, string pin)
    {
        (int[] blocks, int done) = _fetches[key];
        using StoreBatch batch = Store.BeginBatch(_pins[pin]);
        CrashState next = Current;
        if (!_fetchFiles.TryGetValue(key, out FileId file))
        {
            // It begins, or goes on after a restart: what is in the part is hashed again, so here it is written again.
            done = 0;
            Doubt(part);
            if (!world.Disk.TryGetIdentity(part, out _))
                world.Disk.Create(part).Dispose();
            file = batch.AddFileBeingWritten(part);
            _files[file.Value] = ++_lastFile;
            next = next with { Files = next.Files.SetItem(_lastFile, part) };
        }
        int number = _files[file.Value];
        using (IDiskFile handle = world.Disk.OpenWrite(part))
        {
            for (int last = Math.Min(blocks.Length, done + random.Next(1, 4)); done < last; done++)
            {
                int offset = LengthOf(blocks.Take(done));
                handle.Write(CrashCorpus.DataOf(blocks[done]), offset);
                batch.AddReference(CrashCorpus.CidOf(blocks[done]), file, offset, CrashCorpus.DataOf(blocks[done]).Length);
                next = next.WithBlock(blocks[done], pin, place: (number, offset));
            }
        }
        if (random.Next(2) == 0)
            next = AddOwned(batch, random.Next(CrashCorpus.SmallBlocks), pin, next);
        await CommitAsync(batch, next, $"go on with {key} as file {number}");
        _fetchFiles[key] = file;
        _fetches[key] = (blocks, done);
    }

    private async Task EndFetchAsync(string key, string part, string pin)
    {
        if (!_fetchFiles.TryGetValue(key, out FileId file) || !world.Disk.TryGetIdentity(part, out _))
        {
            _fetchFiles.Remove(key);
            await GoOnWithFetchAsync(key, part, pin);
            return;
        }
        string target = $"{CrashWorld.UserPath}/f{random.Next(Paths)}";
        Note($"name {key} {target}");
        using (IDiskFile handle = world.Disk.OpenWrite(part))
            handle.Flush();
        Doubt(target);
        world.Disk.Rename(part, target);
        world.Disk.FlushFolder(CrashWorld.UserPath);
        world.Disk.TryGetIdentity(target, out FileIdentity identity);
        Store.TryGetPin(_pins[pin], out Pin? fetched);
        using StoreBatch batch = Store.BeginBatch();
        batch.Relocate(part, target);
        batch.FinishFile(file, identity, CrashCorpus.CidOf(2));
        batch.UpdatePin(fetched! with { Kind = PinKind.Seeded });
        batch.RemoveResume(key);
        CrashState next = Current.Relocated(part, target).WithPin(pin, Current.Pins[pin] with { Kind = PinKind.Seeded });
        await CommitAsync(batch, next with { Resumes = next.Resumes.Remove(key) }, $"end {key}");
        _fetchFiles.Remove(key);
    }

    private async Task GiveUpFetchAsync(string key, string part, string pin)
    {
        world.Disk.Delete(part);
        Doubt(part);
        using StoreBatch batch = Store.BeginBatch();
        batch.RemoveResume(key);
        batch.RemovePin(_pins[pin]);
        CrashState next = Current.WithoutPin(pin);
        await CommitAsync(batch, next with { Resumes = next.Resumes.Remove(key) }, $"give up {key}");
        _fetchFiles.Remove(key);
    }

    /// <summary>Something other than before will lie at the path: known files there are no longer to be relied on.</summary>
    private void Doubt(string path) => _doubtful.UnionWith(Current.Files.Where(file => file.Value == path).Select(file => file.Key));

    /// <summary>Whether the block's bytes lie where the file says.</summary>
    private bool IsAt(int block, int file, int offset) =>
        Current.Files.TryGetValue(file, out string? path) && world.Disk.FindFile(path) is not null && StartsAt(ReadUserFile(path), block, offset);

    private byte[] ReadUserFile(string path) => world.Disk.FindFile(path)?.Bytes.ToArray() ?? [];

    private static bool StartsAt(byte[] bytes, int block, int offset) =>
        offset <= bytes.Length && bytes.AsSpan(offset).StartsWith(CrashCorpus.DataOf(block));

    private static int LengthOf(IEnumerable<int> blocks) => blocks.Sum(block => CrashCorpus.DataOf(block).Length);
}
