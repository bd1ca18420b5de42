// Serves a shared folder by HTTP, range requests included, without fetching more than is read:  dotnet run http.cs LINK
// Then:  curl http://localhost:5080/            the list
//        curl -r 0-99 http://localhost:5080/a/film.mkv
#:sdk Microsoft.NET.Sdk.Web
#:package P2P.Core@0.1.0-preview.1
#:property PublishAot=false
using P2P.Core;

ShareLink link = ShareLink.Parse(args[0]);
WebApplicationBuilder builder = WebApplication.CreateBuilder();
builder.WebHost.UseUrls(Environment.GetEnvironmentVariable("ASPNETCORE_URLS") ?? "http://localhost:5080");
builder.Services.AddP2P(options =>
{
    options.DataDirectory = "http-data";
    options.Listen = false;
});
builder.Services.AddHealthChecks().AddP2P();

WebApplication app = builder.Build();
app.MapHealthChecks("/healthz");
app.MapGet("/", async (P2PNode node, CancellationToken cancellationToken) =>
{
    List<string> files = [];
    await foreach (ContentEntry entry in node.ListAsync(link, cancellationToken: cancellationToken))
    {
        if (entry.Kind == ContentKind.File)
            files.Add(entry.Path);
    }

    return files;
});
app.MapGet("/{**path}", async (string path, P2PNode node, CancellationToken cancellationToken) =>
{
    try
    {
        // seekable and verified: a request for a range reads that range
        Stream stream = await node.OpenReadAsync(link, path, cancellationToken);
        return Results.Stream(stream, "application/octet-stream", enableRangeProcessing: true);
    }
    catch (P2PException error) when (error.Code == P2PErrorCode.NotFound)
    {
        return Results.NotFound(error.Message);
    }
});
app.Run();
