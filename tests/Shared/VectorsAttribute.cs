namespace P2P.Tests.Shared;

/// <summary>Marks a test that reads the shared test vectors: without the environment variable P2P_VECTORS it skips with that reason.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
internal sealed class VectorsAttribute : ConditionBaseAttribute
{
    public VectorsAttribute()
        : base(ConditionMode.Include) => IgnoreMessage = "needs the test vectors: set P2P_VECTORS to their folder";

    public override bool IsConditionMet => Directory.Exists(Vectors.Folder);

    public override string GroupName => nameof(VectorsAttribute);
}

/// <summary>Finds files among the shared test vectors.</summary>
internal static class Vectors
{
    public static string Folder => Environment.GetEnvironmentVariable("P2P_VECTORS") ?? "";

    public static string Path(params string[] parts) => System.IO.Path.Combine([Folder, .. parts]);
}
