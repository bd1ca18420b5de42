using System.Reflection;

namespace P2P.Core.Tests.House;

/// <summary>
/// Goal: the public API changes only on purpose. Method: write down every public signature and compare with the checked-in list;
/// <c>P2P_UPDATE_API=1</c> rewrites that list.
/// </summary>
[TestClass]
public sealed class PublicApiTests
{
    // the types that the API was designed with, and the plain data that hangs from them
    private static readonly string[] Designed =
    [
        "P2PNode", "P2PNodeOptions", "StorageOptions", "ExchangeOptions", "LimitOptions", "LanOptions", "NatOptions", "MappingProtocol", "MappedPort", "Reachability", "ReachabilityReport", "ReachabilityCheck", "CheckState", "TestedAddress", "LanChange", "LanChangeKind", "LanItem", "DhtOptions", "DhtMode", "DhtStatus", "ReplicationOptions", "HealthReport", "HeldReplica",
        "ShareOptions", "FetchOptions", "FileNames", "IfExists", "Share", "Announcement", "FetchResult", "RenamedEntry", "Transfer", "TransferProgress", "StallReason", "ImportProgress",
        "ContentEntry", "ContentKind", "ContentStore", "StoreUsage", "PurposeUsage", "PinPurpose", "PinOptions", "PinnedContent", "GarbageReport", "StoreFinding", "FindingKind", "VerifyProgress", "RepairOptions", "RepairProgress", "RepairReport", "IndexRebuild", "NodeStatus", "NodeState", "NodeWarning", "PeerInfo",
        "SharePreview", "Chunker", "ChangedFile", "FileChange",
        "ReadOptions", "CarExportOptions", "CarImportOptions", "CarExportResult", "CarImportResult",
        "Cid", "PeerId", "Multiaddress", "ShareLink", "PeerHint",
        "P2PException", "P2PErrorCode", "DialAttempt", "P2PDiagnostics", "P2PServiceCollectionExtensions",
    ];

    private static readonly string ListFile = Path.Combine(SourceTree.Library, "PublicAPI.txt");

    [TestMethod]
    public void The_public_signatures_are_those_that_were_agreed()
    {
        string[] actual = [.. PublicApi.Describe(typeof(P2PException).Assembly)];
        if (Environment.GetEnvironmentVariable("P2P_UPDATE_API") == "1")
        {
            File.WriteAllText(ListFile, string.Join('\n', actual) + "\n");
        }

        string[] agreed = File.Exists(ListFile) ? File.ReadAllLines(ListFile) : [];
        string[] added = [.. actual.Except(agreed, StringComparer.Ordinal).Select(line => "+ " + line)];
        string[] removed = [.. agreed.Except(actual, StringComparer.Ordinal).Select(line => "- " + line)];
        Assert.IsEmpty(added.Concat(removed), $"The public API changed (P2P_UPDATE_API=1 accepts it):\n{string.Join('\n', added.Concat(removed))}");
    }

    [TestMethod]
    public void No_type_is_public_that_was_not_designed_to_be()
    {
        IEnumerable<string> extra = typeof(P2PException).Assembly.GetExportedTypes()
            .Where(type => !(type.DeclaringType ?? type).Name.Split('`')[0].IsOneOf(Designed)).Select(type => type.FullName!);
        Assert.IsEmpty(extra, string.Join(", ", extra));
    }

    [TestMethod]
    public void Every_public_class_is_sealed_or_static_except_the_exception()
    {
        IEnumerable<Type> open = typeof(P2PException).Assembly.GetExportedTypes().Where(type => type.IsClass && !type.IsSealed && type != typeof(P2PException));
        Assert.IsEmpty(open, string.Join(", ", open));
    }

    [TestMethod]
    public void Public_asynchronous_methods_end_in_Async_and_take_a_cancellation_token_last()
    {
        List<string> faults = [];
        foreach (MethodInfo method in typeof(P2PException).Assembly.GetExportedTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)))
        {
            Type type = method.ReturnType.IsGenericType ? method.ReturnType.GetGenericTypeDefinition() : method.ReturnType;
            bool isAsync = type == typeof(Task) || type == typeof(Task<>) || type == typeof(ValueTask) || type == typeof(ValueTask<>) || type == typeof(IAsyncEnumerable<>);
            if (!isAsync || method.IsSpecialName || method.Name is nameof(IAsyncDisposable.DisposeAsync) or nameof(Transfer.CancelAsync))
            {
                continue;
            }

            ParameterInfo? last = method.GetParameters().LastOrDefault();
            if (!method.Name.EndsWith("Async", StringComparison.Ordinal) || last is not { Name: "cancellationToken", HasDefaultValue: true } || last.ParameterType != typeof(CancellationToken))
            {
                faults.Add($"{method.DeclaringType!.Name}.{method.Name}");
            }
        }

        Assert.IsEmpty(faults, string.Join(", ", faults));
    }
}
