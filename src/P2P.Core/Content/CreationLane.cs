using System.Buffers;

namespace P2P.Core.Content;

/// <summary>
/// Lets one worker at a time create small files: a folder's lock is the system's, and workers that meet there spin in the kernel. Whoever comes
/// while another creates leaves a copy behind and goes on to the next block; the creator takes what was left until nothing is.
/// </summary>
/// <param name="fill">Creates and writes one file. What it throws for a file that was left behind goes to <paramref name="fail"/>.</param>
/// <param name="fail">Told of failures that have no caller any more.</param>
internal sealed class CreationLane<T>(CreationLane<T>.Filler fill, Action<Exception> fail)
{
    /// <summary>Longer files are written by whoever has them: the copy would cost more than the wait.</summary>
    public const int MaxFileBytes = 64 * 1024;

    private const int MaxLeftBytes = 4 << 20;

    private readonly Lock _gate = new(); // guards the fields below
    private readonly Queue<(T Item, byte[] Copy, int Length)> _left = new();
    private int _leftBytes;
    private bool _isCreating;

    /// <summary>Creates and writes one file.</summary>
    public delegate void Filler(T item, ReadOnlySpan<byte> data);

    /// <summary>Creates the file now, or leaves it to the worker that is creating. Returns in either case without waiting for another.</summary>
    /// <remarks>With 4 MiB left behind it is created beside the other worker: slower, but bounded.</remarks>
    public void Add(T item, ReadOnlySpan<byte> data)
    {
        bool isCreator;
        lock (_gate)
        {
            if (_isCreating && _leftBytes + data.Length <= MaxLeftBytes)
            {
                byte[] copy = ArrayPool<byte>.Shared.Rent(data.Length);
                data.CopyTo(copy);
                _left.Enqueue((item, copy, data.Length));
                _leftBytes += data.Length;
                return;
            }

            isCreator = !_isCreating;
            _isCreating = true;
        }

        try
        {
            fill(item, data);
        }
        finally
        {
            if (isCreator)
                FillLeft();
        }
    }

    private void FillLeft()
    {
        while (TryTake(out (T Item, byte[] Copy, int Length) next))
        {
            try
            {
                fill(next.Item, next.Copy.AsSpan(0, next.Length));
            }
            catch (Exception error)
            {
                fail(error);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(next.Copy);
            }
        }
    }

    private bool TryTake(out (T Item, byte[] Copy, int Length) next)
    {
        lock (_gate)
        {
            if (!_left.TryDequeue(out next))
            {
                _isCreating = false;
                return false;
            }

            _leftBytes -= next.Length;
            return true;
        }
    }
}
