using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace P2P.Core.Node;

/// <summary>Starts and stops a node with the host.</summary>
internal sealed class P2PHostedService(P2PNode node) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => node.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => node.StopAsync(cancellationToken);
}

/// <summary>Healthy while the node runs, degraded when it has something to tell its operator.</summary>
internal sealed class P2PHealthCheck(P2PNode node) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        NodeStatus status = node.Status;
        return Task.FromResult(status.State != NodeState.Running
            ? new HealthCheckResult(context.Registration.FailureStatus, $"The node is {status.State}.")
            : status.Warnings.Count > 0
                ? HealthCheckResult.Degraded(status.Warnings[^1].Message)
                : HealthCheckResult.Healthy($"{status.Peers} peers, {status.Shares} shares."));
    }
}

/// <summary>Reports every fault of the options together.</summary>
internal sealed class P2PNodeOptionsValidator : IValidateOptions<P2PNodeOptions>
{
    public ValidateOptionsResult Validate(string? name, P2PNodeOptions options)
    {
        IReadOnlyList<string> faults = NodeSettings.Check(options);
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
