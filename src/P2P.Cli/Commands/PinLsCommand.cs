using System.Globalization;
using P2P.Cli.Output;
using P2P.Cli.Values;
using P2P.Core;

namespace P2P.Cli.Commands;

/// <summary><c>p2p pin ls</c>: what is kept, and why.</summary>
internal sealed class PinLsCommand() : ToolCommand("ls", "Lists what is kept and why: pins, shares, seeds, work in progress.")
{
    public override string Synopsis => "[OPTION]...";

    public static PinEvent ToEvent(PinnedContent pin) =>
        new(pin.Root.IsEmpty ? null : pin.Root.ToString(), pin.Name, NameOf(pin.Purpose), pin.Bytes, pin.Blocks, pin.Path, pin.CreatedAt.UtcDateTime, null);

    /// <summary>The reason as scripts and people see it.</summary>
    public static string NameOf(PinPurpose purpose) => purpose switch
    {
        PinPurpose.Pinned => "pinned",
        PinPurpose.Fetched => "fetched",
        PinPurpose.Shared => "shared",
        PinPurpose.Seeded => "seeded",
        PinPurpose.Held => "held",
        _ => "in_progress",
    };

    public override async Task<int> RunAsync(CommandContext context)
    {
        await using NodeSession session = await NodeSession.OpenAsync(context, listen: false, mayStandBeside: false);
        await foreach (PinnedContent pin in session.Node.Store.GetPinsAsync(context.Stopping))
        {
            if (context.Events is { } events)
                events.Write(ToEvent(pin));
            else
                context.Data(string.Create(CultureInfo.InvariantCulture, $"{ByteSize.Format(pin.Bytes),10}  {NameOf(pin.Purpose),-11}  {(pin.Root.IsEmpty ? "(being imported)" : pin.Root.ToString())}  {SafeText.Clean(pin.Name)}"));
        }

        return ExitCodes.Done;
    }
}
