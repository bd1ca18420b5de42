using System.Buffers;
using P2P.Core.Connections;
using P2P.Testing;

namespace P2P.Core.Tests.Connections;

[TestClass]
public sealed class MultistreamNegotiationTests
{
    private const string Header = MultistreamCodec.Header;

    [TestMethod]
    public void A_dialer_says_header_and_proposal_at_once()
    {
        MultistreamNegotiation dialer = MultistreamNegotiation.Dial(["/a"]);
        CollectionAssert.AreEqual(MultistreamCodec.Encode(Header, "/a"), dialer.TakeOutput().ToArray());
        Assert.IsTrue(dialer.TakeOutput().IsEmpty);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(2)]
    public void The_two_sides_agree_when_fed_byte_by_byte(int spoken)
    {
        string[] proposals = ["/a", "/b", "/c"];
        MultistreamNegotiation dialer = MultistreamNegotiation.Dial(proposals);
        MultistreamNegotiation listener = MultistreamNegotiation.Listen(protocol => protocol == proposals[spoken]);
        List<byte> toListener = [.. dialer.TakeOutput().Span];
        List<byte> toDialer = [];
        OperationStatus atDialer = OperationStatus.NeedMoreData, atListener = OperationStatus.NeedMoreData;
        int heldByListener = 0, heldByDialer = 0;
        while (atDialer != OperationStatus.Done)
        {
            (atListener, heldByListener) = FeedOneMore(listener, toListener, heldByListener, atListener);
            toDialer.AddRange(listener.TakeOutput().Span);
            (atDialer, heldByDialer) = FeedOneMore(dialer, toDialer, heldByDialer, atDialer);
            toListener.AddRange(dialer.TakeOutput().Span);
        }

        Assert.AreEqual(proposals[spoken], dialer.Selected);
        Assert.AreEqual(proposals[spoken], listener.Selected);
        Assert.IsEmpty(toListener);
        Assert.IsEmpty(toDialer);
    }

    [TestMethod]
    public void What_follows_the_decision_is_left_for_the_protocol()
    {
        ReadOnlySequence<byte> bytes = new([.. MultistreamCodec.Encode(Header, "/a"), 1, 2, 3]);
        MultistreamNegotiation listener = MultistreamNegotiation.Listen(static _ => true);
        Assert.AreEqual(OperationStatus.Done, listener.Read(ref bytes));
        CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, bytes.ToArray());
        bytes = new([.. MultistreamCodec.Encode(Header, "/a"), 4]);
        MultistreamNegotiation dialer = MultistreamNegotiation.Dial(["/a"]);
        Assert.AreEqual(OperationStatus.Done, dialer.Read(ref bytes));
        Assert.AreEqual(1, bytes.Length);
    }

    [TestMethod]
    public void A_listener_answers_the_header_before_the_proposal_comes()
    {
        MultistreamNegotiation listener = MultistreamNegotiation.Listen(static _ => true);
        ReadOnlySequence<byte> bytes = new(MultistreamCodec.Encode(Header));
        Assert.AreEqual(OperationStatus.NeedMoreData, listener.Read(ref bytes));
        CollectionAssert.AreEqual(MultistreamCodec.Encode(Header), listener.TakeOutput().ToArray());
    }

    [TestMethod]
    public void Ls_is_answered_like_an_unknown_protocol()
    {
        MultistreamNegotiation listener = MultistreamNegotiation.Listen(protocol => protocol == "/a");
        ReadOnlySequence<byte> bytes = new(MultistreamCodec.Encode(Header, "ls", "/a"));
        Assert.AreEqual(OperationStatus.Done, listener.Read(ref bytes));
        CollectionAssert.AreEqual(MultistreamCodec.Encode(Header, "na", "/a"), listener.TakeOutput().ToArray());
    }

    [TestMethod]
    public void A_dialer_without_a_common_protocol_is_refused()
    {
        MultistreamNegotiation dialer = MultistreamNegotiation.Dial(["/a"]);
        ReadOnlySequence<byte> bytes = new(MultistreamCodec.Encode(Header, "na"));
        Assert.AreEqual(OperationStatus.InvalidData, dialer.Read(ref bytes));
        Assert.IsTrue(dialer.IsRefused);
    }

    [TestMethod]
    public void Breaking_the_rules_ends_it_on_either_side()
    {
        Assert.IsFalse(Fails(MultistreamNegotiation.Dial(["/a"]), MultistreamCodec.Encode("/a")).IsRefused);
        Assert.IsFalse(Fails(MultistreamNegotiation.Dial(["/a"]), MultistreamCodec.Encode(Header, "/b")).IsRefused);
        Fails(MultistreamNegotiation.Listen(static _ => true), MultistreamCodec.Encode("/a"));
        Fails(MultistreamNegotiation.Listen(static _ => true), "GET / HTTP/1.1\r\nHost: x\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"u8.ToArray());
    }

    [TestMethod]
    public void Endless_headers_and_endless_proposals_end()
    {
        foreach (string token in new[] { Header, "/unknown" })
        {
            MultistreamNegotiation listener = MultistreamNegotiation.Listen(static _ => false);
            ReadOnlySequence<byte> first = new(MultistreamCodec.Encode(Header));
            listener.Read(ref first);
            int fed = 0;
            OperationStatus status;
            do
            {
                ReadOnlySequence<byte> bytes = new(MultistreamCodec.Encode(token));
                status = listener.Read(ref bytes);
                listener.TakeOutput();
            }
            while (status == OperationStatus.NeedMoreData && ++fed < 1000);
            Assert.AreEqual(OperationStatus.InvalidData, status);
            Assert.IsLessThan(100, fed);
        }
    }

    private static MultistreamNegotiation Fails(MultistreamNegotiation side, byte[] received)
    {
        ReadOnlySequence<byte> bytes = new(received);
        Assert.AreEqual(OperationStatus.InvalidData, side.Read(ref bytes));
        Assert.AreNotEqual("", side.Failure);
        return side;
    }

    /// <summary>Shows the side one byte more than it has seen; what it uses is removed.</summary>
    private static (OperationStatus Status, int Seen) FeedOneMore(MultistreamNegotiation side, List<byte> bytes, int seen, OperationStatus status)
    {
        if (status == OperationStatus.Done || bytes.Count == seen)
        {
            return (status, seen);
        }

        ReadOnlySequence<byte> shown = new(bytes.Take(seen + 1).ToArray());
        status = side.Read(ref shown);
        bytes.RemoveRange(0, seen + 1 - (int)shown.Length);
        return (status, (int)shown.Length);
    }

    [TestMethod]
    public void A_wrong_answer_is_quoted_without_what_a_terminal_would_obey()
    {
        MultistreamNegotiation negotiation = MultistreamNegotiation.Dial(["/a"]);
        ReadOnlySequence<byte> answer = new(MultistreamCodec.Encode(MultistreamCodec.Header, "\u001b[31m" + new string('x', 900)));
        Assert.AreEqual(OperationStatus.InvalidData, negotiation.Read(ref answer));
        StringAssert.Contains(negotiation.Failure, @"\u{1b}[31mxxx");
        Assert.IsLessThan(120, negotiation.Failure.Length);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_dialer_that_sends_its_bytes_one_by_one_gets_no_further_by_it()
    {
        (MemoryConnection dialer, MemoryConnection listener) = MemoryConnection.NewPair();
        await using (dialer)
        await using (listener)
        {
            int steps = 0;
            MultistreamNegotiation negotiation = MultistreamNegotiation.Listen(static protocol => protocol == "/noise");
            Task listening = MultistreamSelect.ListenAsync(negotiation, listener, () => steps++, CancellationToken.None);
            foreach (byte each in MultistreamCodec.Encode(MultistreamCodec.Header, "/noise"))
            {
                await dialer.SendAsync(new[] { each }, CancellationToken.None);
                await Task.Yield();
            }

            await listening;
            Assert.AreEqual(1, steps);
        }
    }
}
