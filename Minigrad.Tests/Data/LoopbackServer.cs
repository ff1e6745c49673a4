using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Minigrad.Tests.Data;

/// <summary>A web server on this machine that gives every request the same answer, and may break off before its end.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly byte[] answer;
    private readonly Task serving;

    /// <summary>Serves a body; <paramref name="sent"/> bytes of it are sent, whatever the header declares.</summary>
    public LoopbackServer(byte[] body, int? sent = null, string status = "200 OK")
    {
        byte[] header = Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
        answer = [.. header, .. body.AsSpan(0, sent ?? body.Length)];
        listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        serving = ServeAsync();
    }

    public Uri Address { get; }

    /// <summary>The paths asked for so far.</summary>
    public List<string> Requests { get; } = [];

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await serving;
        listener.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                using TcpClient client = await listener.AcceptTcpClientAsync();
                using NetworkStream stream = client.GetStream();
                using StreamReader reader = new(stream, Encoding.ASCII, leaveOpen: true);
                Requests.Add((await reader.ReadLineAsync())!.Split(' ')[1]);
                while (await reader.ReadLineAsync() is { Length: > 0 })
                {
                }

                await stream.WriteAsync(answer);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return; // The listener was stopped.
            }
        }
    }
}
