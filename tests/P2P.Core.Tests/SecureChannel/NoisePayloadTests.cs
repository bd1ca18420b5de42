using P2P.Core.SecureChannel;

namespace P2P.Core.Tests.SecureChannel;

[TestClass]
public sealed class NoisePayloadTests
{
    // 0a 02 0102            identity_key = 01 02
    // 12 03 030405          identity_sig = 03 04 05
    // 22 0e                 extensions, 14 bytes:
    //   12 0c 2f79616d75782f312e302e30   stream_muxers = "/yamux/1.0.0"
    private const string Pinned = "0a020102" + "1203030405" + "220e" + "120c" + "2f79616d75782f312e302e30";

    [TestMethod]
    public void A_payload_has_these_bytes()
    {
        var payload = new NoisePayload(new byte[] { 1, 2 }, new byte[] { 3, 4, 5 }, ["/yamux/1.0.0"]);
        Assert.AreEqual(Pinned, Convert.ToHexStringLower(payload.Encode()));
        Assert.IsTrue(NoisePayload.TryDecode(Convert.FromHexString(Pinned), out NoisePayload? read));
        CollectionAssert.AreEqual(new byte[] { 1, 2 }, read.IdentityKey.ToArray());
        CollectionAssert.AreEqual(new byte[] { 3, 4, 5 }, read.Signature.ToArray());
        CollectionAssert.AreEqual(new[] { "/yamux/1.0.0" }, read.Muxers.ToArray());
    }

    [TestMethod]
    public void Without_muxers_there_are_no_extensions() =>
        Assert.AreEqual("0a0101" + "120102", Convert.ToHexStringLower(new NoisePayload(new byte[] { 1 }, new byte[] { 2 }, []).Encode()));

    [TestMethod]
    public void Unknown_fields_are_skipped_and_what_is_missing_is_empty()
    {
        // field 9 varint; in the extensions webtransport_certhashes (1) and an unknown field 7
        Assert.IsTrue(NoisePayload.TryDecode(Convert.FromHexString("48ff01" + "2208" + "0a01aa" + "3a03bbccdd"), out NoisePayload? read));
        Assert.IsTrue(read.IdentityKey.IsEmpty && read.Signature.IsEmpty && read.Muxers.Count == 0);
    }

    [TestMethod]
    public void Cut_within_a_field_it_is_malformed()
    {
        byte[] whole = Convert.FromHexString(Pinned);
        int[] betweenFields = [0, 4, 9];
        for (int cut = 0; cut < whole.Length; cut++)
            Assert.AreEqual(betweenFields.Contains(cut), NoisePayload.TryDecode(whole.AsSpan(0, cut), out _), $"cut to {cut}");
    }

    [TestMethod]
    public void A_long_list_of_muxers_is_cut()
    {
        var many = new NoisePayload(default, default, [.. Enumerable.Range(0, 1000).Select(i => $"/m{i}")]);
        Assert.IsTrue(NoisePayload.TryDecode(many.Encode(), out NoisePayload? read));
        Assert.AreEqual(16, read.Muxers.Count);
    }
}
