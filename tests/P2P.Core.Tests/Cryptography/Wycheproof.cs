using System.Text.Json;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Cryptography;

/// <summary>Reads the files of the Wycheproof project.</summary>
internal static class Wycheproof
{
    internal static IEnumerable<WycheproofCase> Read(string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("wycheproof", file)));
        foreach (JsonElement group in document.RootElement.GetProperty("testGroups").EnumerateArray())
        {
            foreach (JsonElement test in group.GetProperty("tests").EnumerateArray())
                yield return new WycheproofCase(file, group, test);
        }
    }
}

/// <summary>One case, valid until the enumeration goes on.</summary>
internal readonly record struct WycheproofCase(string File, JsonElement Group, JsonElement Test)
{
    internal string Name => $"{File} {Test.GetProperty("tcId")}: {Text("comment")}";

    internal string Result => Text("result");

    internal string Text(string property) => Test.GetProperty(property).GetString()!;

    internal byte[] Bytes(string property) => Convert.FromHexString(Text(property));

    internal bool HasFlag(string flag) => Test.GetProperty("flags").EnumerateArray().Any(f => f.GetString() == flag);
}
