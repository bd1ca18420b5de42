namespace P2P.Core.Nat;

/// <summary>Asks one router for ports, by one protocol or a family of them.</summary>
internal interface IPortMapper
{
    /// <summary>Asks for a port, or renews the one that there is.</summary>
    /// <param name="internalPort">Our port.</param>
    /// <param name="wanted">The port wanted on the other side; the router may choose another.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="MappingException">The router does not answer or refuses.</exception>
    Task<PortMapping> MapAsync(int internalPort, int wanted, CancellationToken cancellationToken);

    /// <summary>Whether the router still has it; false: it was restarted, or its address has changed, or nobody can tell.</summary>
    /// <exception cref="MappingException">The router does not answer.</exception>
    Task<bool> IsThereAsync(PortMapping mapping, CancellationToken cancellationToken);

    /// <summary>Gives it back.</summary>
    /// <exception cref="MappingException">The router does not answer or refuses.</exception>
    Task RemoveAsync(PortMapping mapping, CancellationToken cancellationToken);
}
