using System.Buffers;
using P2P.Core.Diagnostics;

namespace P2P.Core.Connections;

/// <summary>One side of one multistream-select negotiation. Owns no I/O: the caller feeds what arrives and sends <see cref="TakeOutput"/>.</summary>
/// <remarks>It stops exactly behind the message that decides, so what follows belongs to the protocol chosen.</remarks>
internal sealed class MultistreamNegotiation
{
    /// <summary>Proposals that a listener refuses before it gives up (count): more than any program speaks, little work for us.</summary>
    public const int MaxProposals = 64;

    /// <summary>What is quoted of a wrong answer (characters).</summary>
    private const int MaxShownChars = 64;

    private readonly ArrayBufferWriter<byte> _output = new(64);
    private readonly IReadOnlyList<string>? _proposals;
    private readonly Func<string, bool>? _accepts;
    private int _proposed;
    private bool _headerSeen;

    private MultistreamNegotiation(IReadOnlyList<string>? proposals, Func<string, bool>? accepts)
    {
        _proposals = proposals;
        _accepts = accepts;
    }

    /// <summary>The protocol agreed, once <see cref="Read(ref ReadOnlySequence{byte})"/> has returned Done.</summary>
    public string? Selected { get; private set; }

    /// <summary>Why it failed, once Read has returned InvalidData. Where it quotes the peer, the quotation is cleaned.</summary>
    public string Failure { get; private set; } = "";

    /// <summary>Whether it failed because the other side speaks none of the protocols, rather than by breaking the rules.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Whether a proposal was answered with "na". What follows may then be application bytes of a dialer that did not wait for the answer.</summary>
    public bool HasDeclined { get; private set; }

    /// <summary>The side that proposes. Header and first proposal are in the output at once: they need no answer in between.</summary>
    public static MultistreamNegotiation Dial(IReadOnlyList<string> proposals)
    {
        ArgumentOutOfRangeException.ThrowIfZero(proposals.Count);
        MultistreamNegotiation negotiation = new(proposals, null);
        MultistreamCodec.Write(negotiation._output, MultistreamCodec.Header);
        negotiation.Propose();
        return negotiation;
    }

    /// <summary>The side that answers. It says its header when the other's has come, in the same write as its answer if it can.</summary>
    public static MultistreamNegotiation Listen(Func<string, bool> accepts) => new(null, accepts);

    /// <summary>What is to be sent now; empty when there is nothing. Valid until the next call to Read.</summary>
    public ReadOnlyMemory<byte> TakeOutput()
    {
        ReadOnlyMemory<byte> taken = _output.WrittenMemory;
        _output.ResetWrittenCount();
        return taken;
    }

    /// <summary>Takes what arrived and moves the sequence past the messages that were used.</summary>
    public OperationStatus Read(ref ReadOnlySequence<byte> received)
    {
        while (Selected is null)
        {
            OperationStatus status = MultistreamCodec.TryRead(ref received, out string token);
            if (status == OperationStatus.InvalidData)
            {
                return Fail("not a multistream message");
            }

            if (status == OperationStatus.NeedMoreData)
            {
                return status;
            }

            status = _proposals is null ? OnProposal(token) : OnAnswer(token);
            if (status == OperationStatus.InvalidData)
            {
                return status;
            }
        }

        return OperationStatus.Done;
    }

    private OperationStatus OnProposal(string token)
    {
        if (token == MultistreamCodec.Header)
        {
            // some dialers repeat it before another proposal; it is answered once
            if (!_headerSeen)
            {
                _headerSeen = true;
                MultistreamCodec.Write(_output, MultistreamCodec.Header);
            }

            return ++_proposed > MaxProposals ? Fail("too many proposals") : OperationStatus.Done;
        }

        if (!_headerSeen)
        {
            return Fail("the first message is not the multistream header");
        }

        if (_accepts!(token))
        {
            Selected = token;
            MultistreamCodec.Write(_output, token);
            return OperationStatus.Done;
        }

        HasDeclined = true;

        // "ls" lands here as well: nobody depends on it, and Go answers the same
        MultistreamCodec.Write(_output, MultistreamCodec.NotAvailable);
        return ++_proposed > MaxProposals ? Fail("too many proposals") : OperationStatus.Done;
    }

    private OperationStatus OnAnswer(string token)
    {
        if (!_headerSeen)
        {
            _headerSeen = token == MultistreamCodec.Header;
            return _headerSeen ? OperationStatus.Done : Fail("the first message is not the multistream header");
        }

        if (token == _proposals![_proposed - 1])
        {
            Selected = token;
            return OperationStatus.Done;
        }

        if (token != MultistreamCodec.NotAvailable)
        {
            return Fail($"proposed {_proposals[_proposed - 1]}, was answered {UntrustedText.Clean(token, MaxShownChars)}");
        }

        if (_proposed == _proposals.Count)
        {
            IsRefused = true;
            return Fail($"does not speak {string.Join(" or ", _proposals)}");
        }

        Propose();
        return OperationStatus.Done;
    }

    private void Propose() => MultistreamCodec.Write(_output, _proposals![_proposed++]);

    private OperationStatus Fail(string why)
    {
        Failure = why;
        return OperationStatus.InvalidData;
    }
}
