using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using P2P.Core;
using P2P.Core.Node;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a peer to an application.</summary>
public static class P2PServiceCollectionExtensions
{
    /// <summary>Adds a <see cref="P2PNode"/> that starts and stops with the host.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options; faults are reported, all together, when the host starts.</param>
    public static IServiceCollection AddP2P(this IServiceCollection services, Action<P2PNodeOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (configure is not null)
            services.Configure(configure);
        services.AddOptions<P2PNodeOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<P2PNodeOptions>, P2PNodeOptionsValidator>());
        services.TryAddSingleton(static provider => Create(provider, provider.GetRequiredService<IOptions<P2PNodeOptions>>().Value));
        services.AddSingleton<IHostedService>(static provider => new P2PHostedService(provider.GetRequiredService<P2PNode>()));
        return services;
    }

    /// <summary>Adds a <see cref="P2PNode"/> whose options come from configuration, for example a section <c>P2P</c>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configuration">The section that holds the options' keys.</param>
    public static IServiceCollection AddP2P(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.Configure<P2PNodeOptions>(configuration);
        return services.AddP2P((Action<P2PNodeOptions>?)null);
    }

    /// <summary>Adds a further <see cref="P2PNode"/>, told apart by a key; it needs a data folder of its own.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="key">The service key.</param>
    /// <param name="configure">Sets the options.</param>
    public static IServiceCollection AddKeyedP2P(this IServiceCollection services, string key, Action<P2PNodeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(configure);
        services.Configure(key, configure);
        services.AddOptions<P2PNodeOptions>(key).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<P2PNodeOptions>, P2PNodeOptionsValidator>());
        services.AddKeyedSingleton(key, static (provider, name) => Create(provider, provider.GetRequiredService<IOptionsMonitor<P2PNodeOptions>>().Get((string)name!)));
        services.AddSingleton<IHostedService>(provider => new P2PHostedService(provider.GetRequiredKeyedService<P2PNode>(key)));
        return services;
    }

    /// <summary>Adds a health check that is healthy while the node runs.</summary>
    /// <param name="builder">The application's health checks.</param>
    /// <param name="name">The check's name.</param>
    public static IHealthChecksBuilder AddP2P(this IHealthChecksBuilder builder, string name = "p2p")
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(name, static provider => new P2PHealthCheck(provider.GetRequiredService<P2PNode>()), failureStatus: null, tags: null));
    }

    private static P2PNode Create(IServiceProvider provider, P2PNodeOptions options) =>
        new(options, provider.GetService<ILoggerFactory>(), provider.GetService<IMeterFactory>(), provider.GetService<TimeProvider>());
}
