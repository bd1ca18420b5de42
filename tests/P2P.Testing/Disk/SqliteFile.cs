using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace P2P.Testing;

/// <summary>A file that SQLite has open on a <see cref="FaultyDisk"/>, and what SQLite calls to use it.</summary>
internal sealed unsafe class SqliteFile(SqliteVfs vfs, FaultyFile file, string? path)
{
    /// <summary>One table for all files, for as long as the process.</summary>
    public static readonly SqliteNative.IoMethods* Methods = CreateMethods();

    private readonly SqliteLocks _locks = vfs.LocksOf(file);

    /// <summary>Whether the next flush is one of the name too: a log or journal that was opened to be created.</summary>
    public bool FlushesFolder { get; set; }

    public bool DeletesOnClose { get; init; }

    /// <summary>The lock that it holds; <see cref="SqliteLocks"/> sets it.</summary>
    public int LockLevel { get; set; }

    /// <summary>The locks in shared memory that it holds, a bit each; <see cref="SqliteLocks"/> sets them.</summary>
    public int SharedSlots { get; set; }

    public int ExclusiveSlots { get; set; }

    private static SqliteFile Of(SqliteNative.File* file) => (SqliteFile)GCHandle.FromIntPtr(file->Handle).Target!;

    private static SqliteNative.IoMethods* CreateMethods()
    {
        var methods = (SqliteNative.IoMethods*)RuntimeHelpers.AllocateTypeAssociatedMemory(typeof(SqliteFile), sizeof(SqliteNative.IoMethods));
        *methods = new SqliteNative.IoMethods
        {
            Version = 2,
            Close = &Close,
            Read = &Read,
            Write = &Write,
            Truncate = &Truncate,
            Sync = &Sync,
            FileSize = &FileSize,
            Lock = &Lock,
            Unlock = &Unlock,
            CheckReservedLock = &CheckReservedLock,
            FileControl = &FileControl,
            SectorSize = &SectorSize,
            DeviceCharacteristics = &DeviceCharacteristics,
            ShmMap = &ShmMap,
            ShmLock = &ShmLock,
            ShmBarrier = &ShmBarrier,
            ShmUnmap = &ShmUnmap,
        };
        return methods;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Close(SqliteNative.File* self)
    {
        SqliteFile file = Of(self);
        file._locks.Unlock(file, SqliteLocks.None);
        file._locks.Unmap(file);
        try
        {
            if (file.DeletesOnClose && file.Path is { } path)
                file.Disk.TryDelete(path);
        }
        catch (IOException)
        {
            // Without power nothing is deleted; it is closed all the same.
        }
        GCHandle.FromIntPtr(self->Handle).Free();
        self->Methods = null;
        file.Vfs.OnClosed();
        return SqliteNative.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(SqliteNative.File* self, byte* bytes, int count, long offset)
    {
        try
        {
            SqliteFile file = Of(self);
            Span<byte> destination = new(bytes, count);
            int read = file.Disk.Read(file.Content, destination, offset);
            destination[read..].Clear();
            return read == count ? SqliteNative.Ok : SqliteNative.ShortRead;
        }
        catch (Exception)
        {
            return SqliteNative.ReadFailed;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(SqliteNative.File* self, byte* bytes, int count, long offset)
    {
        try
        {
            SqliteFile file = Of(self);
            file.Disk.Write(file.Content, new ReadOnlySpan<byte>(bytes, count), offset);
            return SqliteNative.Ok;
        }
        catch (Exception error)
        {
            return SqliteNative.CodeOf(error, SqliteNative.WriteFailed);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Truncate(SqliteNative.File* self, long length)
    {
        try
        {
            SqliteFile file = Of(self);
            file.Disk.Truncate(file.Content, length);
            return SqliteNative.Ok;
        }
        catch (Exception error)
        {
            return SqliteNative.CodeOf(error, SqliteNative.TruncateFailed);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sync(SqliteNative.File* self, int flags)
    {
        try
        {
            SqliteFile file = Of(self);
            file.Disk.Flush(file.Content, DiskVices.IgnoresDatabaseFlush);
            if (file.FlushesFolder && file.Path is { } path)
                file.Disk.FlushFolder(System.IO.Path.GetDirectoryName(path)!);
            file.FlushesFolder = false;
            return SqliteNative.Ok;
        }
        catch (Exception error)
        {
            return SqliteNative.CodeOf(error, SqliteNative.FlushFailed);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FileSize(SqliteNative.File* self, long* length)
    {
        try
        {
            SqliteFile file = Of(self);
            *length = file.Disk.GetIdentity(file.Content).Size;
            return SqliteNative.Ok;
        }
        catch (Exception)
        {
            return SqliteNative.SizeFailed;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Lock(SqliteNative.File* self, int level) => Of(self) is var file && file._locks.Lock(file, level) ? SqliteNative.Ok : SqliteNative.Busy;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Unlock(SqliteNative.File* self, int level)
    {
        SqliteFile file = Of(self);
        file._locks.Unlock(file, level);
        return SqliteNative.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CheckReservedLock(SqliteNative.File* self, int* result)
    {
        *result = Of(self)._locks.IsReserved ? 1 : 0;
        return SqliteNative.Ok;
    }

    /// <summary>Nothing of what may be asked is needed: SQLite then does what it does by default.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FileControl(SqliteNative.File* self, int operation, void* argument) => SqliteNative.NotFound;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SectorSize(SqliteNative.File* self) => SqliteNative.SectorBytes;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int DeviceCharacteristics(SqliteNative.File* self) => SqliteNative.PowerSafeOverwrite;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ShmMap(SqliteNative.File* self, int region, int regionBytes, int extend, void** memory)
    {
        SqliteFile file = Of(self);
        *memory = file._locks.Map(file, region, regionBytes, extend != 0);
        return file.Disk.IsDead ? SqliteNative.ShmMapFailed : SqliteNative.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ShmLock(SqliteNative.File* self, int first, int count, int flags) =>
        Of(self) is var file && file._locks.LockSlots(file, first, count, flags) ? SqliteNative.Ok : SqliteNative.Busy;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ShmBarrier(SqliteNative.File* self) => Thread.MemoryBarrier();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int ShmUnmap(SqliteNative.File* self, int delete)
    {
        SqliteFile file = Of(self);
        file._locks.Unmap(file);
        return SqliteNative.Ok;
    }

    private SqliteVfs Vfs => vfs;

    private FaultyDisk Disk => vfs.Disk;

    private FaultyFile Content => file;

    private string? Path => path;
}
