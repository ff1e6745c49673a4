using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using Minigrad.Autodiff;

namespace Minigrad.Data;

/// <summary>Goes through items on a thread of its own, a bounded number ahead of who takes them.</summary>
/// <typeparam name="T">An item.</typeparam>
internal sealed class Prefetcher<T> : IDisposable
{
    private readonly BlockingCollection<(T? Item, ExceptionDispatchInfo? Error)> ready = [];
    private readonly CancellationTokenSource stop = new();
    private readonly SemaphoreSlim free;
    private readonly Thread thread;

    public Prefetcher(IEnumerator<T> items, int ahead)
    {
        free = new SemaphoreSlim(ahead);
        (bool isRecording, Precision precision) = (Recording.IsOn, EmulatedPrecision.Current);
        thread = new Thread(() =>
        {
            Recording.Set(isRecording);
            EmulatedPrecision.Set(precision);
            Run(items);
        })
        {
            IsBackground = true,
            Name = "Minigrad prefetch",
        };
        thread.Start();
    }

    /// <summary>The next item, when it is ready; false after the last. What its making threw is thrown here.</summary>
    public bool TryTake([MaybeNullWhen(false)] out T item)
    {
        item = default;
        if (!ready.TryTake(out (T? Item, ExceptionDispatchInfo? Error) next, Timeout.Infinite))
        {
            return false;
        }

        free.Release();
        next.Error?.Throw();
        item = next.Item!;
        return true;
    }

    /// <summary>Ends the thread, and returns when it has ended.</summary>
    public void Dispose()
    {
        stop.Cancel();
        thread.Join();
        ready.Dispose();
        stop.Dispose();
        free.Dispose();
    }

    private void Run(IEnumerator<T> items)
    {
        try
        {
            // A place is waited for before an item is made, so that no more exist than were asked for.
            free.Wait(stop.Token);
            while (items.MoveNext())
            {
                ready.Add((items.Current, null));
                free.Wait(stop.Token);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Nobody waits any more.
        }
        catch (Exception error)
        {
            ready.Add((default, ExceptionDispatchInfo.Capture(error))); // Belongs to whoever takes the items.
        }
        finally
        {
            items.Dispose();
            ready.CompleteAdding();
        }
    }
}
