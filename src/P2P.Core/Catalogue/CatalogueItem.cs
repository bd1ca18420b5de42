namespace P2P.Core.Catalogue;

/// <summary>Something that is shared on the local network. Of another peer all of it is a claim.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Root">Its content.</param>
/// <param name="Bytes">How large it is.</param>
/// <param name="IsFolder">Whether it is a folder.</param>
/// <param name="Created">Since when it is shared, in whole seconds.</param>
internal sealed record CatalogueItem(string Name, Cid Root, long Bytes, bool IsFolder, DateTimeOffset Created);

/// <summary>What one peer shares on the local network.</summary>
/// <param name="NodeName">The name of its machine.</param>
/// <param name="Items">What it shares.</param>
internal sealed record CatalogueList(string NodeName, IReadOnlyList<CatalogueItem> Items);
