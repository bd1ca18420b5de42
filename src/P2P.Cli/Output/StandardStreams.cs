using Microsoft.Win32.SafeHandles;

namespace P2P.Cli.Output;

/// <summary>The process's standard streams as raw bytes.</summary>
internal static class StandardStreams
{
    private const int BrokenPipe = 32;                                   // EPIPE
    private const int ConnectionReset = 104;                             // ECONNRESET
    private const int WindowsBrokenPipe = unchecked((int)0x8007006D);    // ERROR_BROKEN_PIPE
    private const int WindowsPipeClosing = unchecked((int)0x800700E8);   // ERROR_NO_DATA

    /// <summary>Standard output, unbuffered. A reader that has gone surfaces as <see cref="ClosedPipeException"/>.</summary>
    public static Stream OpenOutput() => new PipeAwareStream(OpenPipe(1) ?? Console.OpenStandardOutput());

    /// <summary>Standard error, unbuffered; a reader that has gone is nobody's concern.</summary>
    public static Stream OpenError() => Console.OpenStandardError();

    /// <summary>Standard input. A read can be cancelled although the system's cannot: it is left behind and the process ends.</summary>
    public static Stream OpenInput() => new AbandonableStream(Console.OpenStandardInput());

    /// <summary>Whether this failure says that the other end of a pipe has gone.</summary>
    public static bool IsClosedPipe(IOException failure) =>
        failure.HResult is BrokenPipe or ConnectionReset or WindowsBrokenPipe or WindowsPipeClosing;

    // The console's own stream swallows EPIPE, so a pipe is opened by its number. A regular file is left to the console:
    // a FileStream would write at its own offset and overwrite what another process writes to the same redirection.
    private static FileStream? OpenPipe(int descriptor)
    {
        if (OperatingSystem.IsWindows())
            return null;
        try
        {
            var stream = new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            return stream.CanSeek ? null : stream;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null; // closed by who started us: the console's stream discards what is written
        }
    }

    private sealed class AbandonableStream(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer) => inner.Read(buffer);

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        // An abandoned read must not write into memory that the caller has taken back, so it has its own.
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            byte[] own = new byte[buffer.Length];
            int count = await Task.Run(() => inner.Read(own), CancellationToken.None).WaitAsync(cancellationToken);
            own.AsSpan(0, count).CopyTo(buffer.Span);
            return count;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }

    private sealed class PipeAwareStream(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            try
            {
                inner.Write(buffer);
            }
            catch (IOException failure) when (IsClosedPipe(failure))
            {
                throw new ClosedPipeException(failure);
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                await inner.WriteAsync(buffer, cancellationToken);
            }
            catch (IOException failure) when (IsClosedPipe(failure))
            {
                throw new ClosedPipeException(failure);
            }
        }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
