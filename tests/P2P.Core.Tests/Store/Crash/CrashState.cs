using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using P2P.Core.Store;

namespace P2P.Core.Tests.Store.Crash;

/// <summary>What the store should hold between two transactions: the model that a reopened store is compared with. Pins go by their names here.</summary>
internal sealed record CrashState
{
    public static readonly CrashState Empty = new();

    public ImmutableSortedDictionary<string, CrashPin> Pins { get; init; } = ImmutableSortedDictionary.Create<string, CrashPin>(StringComparer.Ordinal);

    public ImmutableSortedDictionary<int, CrashBlock> Blocks { get; init; } = ImmutableSortedDictionary<int, CrashBlock>.Empty;

    public ImmutableSortedDictionary<string, string> Settings { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>By the fetch's key: where its part lies, and the name of its pin.</summary>
    public ImmutableSortedDictionary<string, (string Part, string Pin)> Resumes { get; init; } =
        ImmutableSortedDictionary.Create<string, (string Part, string Pin)>(StringComparer.Ordinal);

    /// <summary>Where each source file lies.</summary>
    public ImmutableDictionary<int, string> Files { get; init; } = ImmutableDictionary<int, string>.Empty;

    public CrashState WithPin(string name, CrashPin pin) => this with { Pins = Pins.SetItem(name, pin) };

    public CrashState WithoutPin(string name) => this with
    {
        Pins = Pins.Remove(name),
        Blocks = Blocks.ToImmutableSortedDictionary(block => block.Key, block => block.Value with { Pins = block.Value.Pins.Remove(name) }),
    };

    /// <summary>A block joins a pin (null: none), and perhaps gets a place.</summary>
    public CrashState WithBlock(int number, string? pin, bool isOwned = false, (int File, int Offset)? place = null)
    {
        CrashBlock block = Blocks.GetValueOrDefault(number) ?? CrashBlock.New;
        if (pin is not null)
            block = block with { Pins = block.Pins.Add(pin) };
        if (isOwned)
            block = block with { IsOwned = true };
        if (place is { } added)
            block = block with { Places = block.Places.Add(added) };
        return this with { Blocks = Blocks.SetItem(number, block) };
    }

    public CrashState WithDamaged(int number) =>
        Blocks.TryGetValue(number, out CrashBlock? block) ? this with { Blocks = Blocks.SetItem(number, block with { IsOwned = false }) } : this;

    public CrashState WithoutGarbage() => this with { Blocks = Blocks.Where(block => block.Value.Pins.Count > 0).ToImmutableSortedDictionary() };

    public CrashState WithSetting(string key, string? value) => this with { Settings = value is null ? Settings.Remove(key) : Settings.SetItem(key, value) };

    /// <summary>What a start makes of it: imports that died are forgotten.</summary>
    public CrashState Started()
    {
        CrashState state = this;
        foreach ((string name, CrashPin pin) in Pins)
        {
            if (pin.Kind == PinKind.Temporary && !Resumes.Values.Any(resume => resume.Pin == name))
                state = state.WithoutPin(name);
        }
        return state;
    }

    public CrashState Relocated(string from, string to) => this with
    {
        Files = Files.ToImmutableDictionary(file => file.Key, file => file.Value == from ? to : file.Value),
    };

    /// <summary>All that the store itself can tell, one line each.</summary>
    public string Describe()
    {
        StringBuilder text = new();
        foreach ((string name, CrashPin pin) in Pins)
            text.AppendLine(CultureInfo.InvariantCulture, $"pin {name} {pin.Kind} {pin.Bytes}");
        foreach ((int number, CrashBlock block) in Blocks)
            text.AppendLine(CultureInfo.InvariantCulture, $"block {number} {(block.IsOwned ? "owned" : "referenced")} {string.Join(',', block.Pins)}");
        foreach ((string key, string value) in Settings)
            text.AppendLine(CultureInfo.InvariantCulture, $"setting {key}={value}");
        foreach ((string key, (string part, string pin)) in Resumes)
            text.AppendLine(CultureInfo.InvariantCulture, $"resume {key} {part} {pin}");
        return text.ToString();
    }
}

/// <summary>A pin of the model.</summary>
internal sealed record CrashPin(PinKind Kind, long Bytes);

/// <summary>A block of the model. Its places are what it was given: the store may find out that one is no longer right and forget it.</summary>
internal sealed record CrashBlock(bool IsOwned, ImmutableSortedSet<string> Pins, ImmutableHashSet<(int File, int Offset)> Places)
{
    public static readonly CrashBlock New = new(false, ImmutableSortedSet.Create<string>(StringComparer.Ordinal), []);
}
