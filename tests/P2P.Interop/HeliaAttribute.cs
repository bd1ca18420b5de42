namespace P2P.Interop;

/// <summary>Marks a test that talks to a live Helia node: without the installed packages it skips with that reason.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
internal sealed class HeliaAttribute : ConditionBaseAttribute
{
    public HeliaAttribute()
        : base(ConditionMode.Include) => IgnoreMessage = "needs Helia: run .ci/run, or npm install --ignore-scripts with tests/P2P.Interop/js/package.json in ~/.cache/p2p-interop";

    public override bool IsConditionMet => File.Exists(HeliaPeer.NodeProgram);

    public override string GroupName => nameof(HeliaAttribute);
}
