using System.Runtime.InteropServices;

namespace P2P.Testing;

/// <summary>What sqlite3.h says of a file layer: layouts for 64 bits, and numbers.</summary>
internal static unsafe class SqliteNative
{
    public const int Ok = 0;
    public const int Busy = 5;
    public const int NotFound = 12;
    public const int Full = 13;
    public const int CannotOpen = 14;
    public const int InputOutputError = 10;
    public const int ReadFailed = InputOutputError | (1 << 8);
    public const int ShortRead = InputOutputError | (2 << 8);
    public const int WriteFailed = InputOutputError | (3 << 8);
    public const int FlushFailed = InputOutputError | (4 << 8);
    public const int TruncateFailed = InputOutputError | (6 << 8);
    public const int SizeFailed = InputOutputError | (7 << 8);
    public const int DeleteFailed = InputOutputError | (10 << 8);
    public const int AccessFailed = InputOutputError | (13 << 8);
    public const int ShmMapFailed = InputOutputError | (21 << 8);
    public const int DeleteNoEntry = InputOutputError | (23 << 8);

    public const int OpenCreate = 0x4;
    public const int OpenDeleteOnClose = 0x8;
    public const int OpenExclusive = 0x10;
    public const int OpenMainJournal = 0x800;
    public const int OpenSuperJournal = 0x4000;
    public const int OpenWal = 0x80000;

    public const int AccessExists = 0;

    public const int ShmUnlock = 1;
    public const int ShmLock = 2;
    public const int ShmShared = 4;
    public const int ShmExclusive = 8;
    public const int ShmLockCount = 8;

    public const int PowerSafeOverwrite = 0x1000;
    public const int SectorBytes = 4096;

    /// <summary>The result code for a failure of the disk.</summary>
    public static int CodeOf(Exception error, int otherwise) => error is IOException { HResult: 28 } ? Full : otherwise;

    /// <summary>sqlite3_vfs, version 2.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Vfs
    {
        public int Version;
        public int FileBytes;
        public int MaxPathBytes;
        public nint Next;
        public nint Name;
        public nint AppData;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, File*, int, int*, int> Open;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, int> Delete;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, int*, int> Access;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, byte*, int> FullPathname;
        public nint DlOpen;
        public nint DlError;
        public nint DlSym;
        public nint DlClose;
        public delegate* unmanaged[Cdecl]<Vfs*, int, byte*, int> Randomness;
        public delegate* unmanaged[Cdecl]<Vfs*, int, int> Sleep;
        public delegate* unmanaged[Cdecl]<Vfs*, double*, int> CurrentTime;
        public delegate* unmanaged[Cdecl]<Vfs*, int, byte*, int> GetLastError;
        public delegate* unmanaged[Cdecl]<Vfs*, long*, int> CurrentTimeInt64;
        public nint SetSystemCall;
        public nint GetSystemCall;
        public nint NextSystemCall;
    }

    /// <summary>sqlite3_file and what we keep behind it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct File
    {
        public IoMethods* Methods;
        public nint Handle;
    }

    /// <summary>sqlite3_io_methods, version 2: with shared memory, without memory mapping.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct IoMethods
    {
        public int Version;
        public delegate* unmanaged[Cdecl]<File*, int> Close;
        public delegate* unmanaged[Cdecl]<File*, byte*, int, long, int> Read;
        public delegate* unmanaged[Cdecl]<File*, byte*, int, long, int> Write;
        public delegate* unmanaged[Cdecl]<File*, long, int> Truncate;
        public delegate* unmanaged[Cdecl]<File*, int, int> Sync;
        public delegate* unmanaged[Cdecl]<File*, long*, int> FileSize;
        public delegate* unmanaged[Cdecl]<File*, int, int> Lock;
        public delegate* unmanaged[Cdecl]<File*, int, int> Unlock;
        public delegate* unmanaged[Cdecl]<File*, int*, int> CheckReservedLock;
        public delegate* unmanaged[Cdecl]<File*, int, void*, int> FileControl;
        public delegate* unmanaged[Cdecl]<File*, int> SectorSize;
        public delegate* unmanaged[Cdecl]<File*, int> DeviceCharacteristics;
        public delegate* unmanaged[Cdecl]<File*, int, int, int, void**, int> ShmMap;
        public delegate* unmanaged[Cdecl]<File*, int, int, int, int> ShmLock;
        public delegate* unmanaged[Cdecl]<File*, void> ShmBarrier;
        public delegate* unmanaged[Cdecl]<File*, int, int> ShmUnmap;
    }
}
