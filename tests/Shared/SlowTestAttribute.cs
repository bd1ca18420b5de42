namespace P2P.Tests.Shared;

/// <summary>Marks a test of the slow set: it runs only with P2P_SLOW=1 and otherwise skips with that reason.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
internal sealed class SlowTestAttribute : ConditionBaseAttribute
{
    public SlowTestAttribute()
        : base(ConditionMode.Include) => IgnoreMessage = "slow: set P2P_SLOW=1 to run it";

    public override bool IsConditionMet => Environment.GetEnvironmentVariable("P2P_SLOW") == "1";

    public override string GroupName => nameof(SlowTestAttribute);
}
