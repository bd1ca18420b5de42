using System.Globalization;
using P2P.Core.Store;

namespace P2P.Core.Node;

/// <summary>How many copies of each share are wanted, remembered over runs, also by a node that takes no part in the DHT.</summary>
internal sealed class ReplicaTargets(BlockStore store)
{
    private const string SettingPrefix = "replica/target/";

    /// <summary>The copies wanted of a share; null: none were asked for.</summary>
    public int? Find(Cid root) =>
        int.TryParse(store.GetSetting(SettingPrefix + root), NumberStyles.None, CultureInfo.InvariantCulture, out int target) ? target : null;

    /// <summary>Remembers how many are wanted; null forgets it.</summary>
    public Task SetAsync(Cid root, int? target, CancellationToken cancellationToken) =>
        store.SetSettingAsync(SettingPrefix + root, target?.ToString(CultureInfo.InvariantCulture), cancellationToken);
}
