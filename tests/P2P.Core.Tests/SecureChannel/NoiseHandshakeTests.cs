using System.Text.Json;
using P2P.Core.SecureChannel;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.SecureChannel;

[TestClass]
public sealed class NoiseHandshakeTests
{
    [TestMethod]
    [Vectors]
    public void The_published_vectors_give_every_ciphertext()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Vectors.Path("noise", "xx-25519-chachapoly-sha256.json")));
        int count = 0;
        foreach (JsonElement vector in document.RootElement.GetProperty("vectors").EnumerateArray())
        {
            using NoiseHandshake initiator = NewSide(vector, "init", isInitiator: true);
            using NoiseHandshake responder = NewSide(vector, "resp", isInitiator: false);
            NoiseCipher? fromInitiator = null, fromResponder = null;
            int index = 0;
            foreach (JsonElement message in vector.GetProperty("messages").EnumerateArray())
            {
                byte[] payload = Hex(message, "payload"), expected = Hex(message, "ciphertext");
                if (index < 3)
                {
                    (NoiseHandshake writer, NoiseHandshake reader) = index == 1 ? (responder, initiator) : (initiator, responder);
                    var written = new byte[payload.Length + NoiseHandshake.MaxOverheadBytes];
                    Assert.IsTrue(writer.TryWriteMessage(payload, written, out int length));
                    CollectionAssert.AreEqual(expected, written[..length], $"message {index}");
                    var read = new byte[length];
                    Assert.IsTrue(reader.TryReadMessage(written.AsSpan(0, length), read, out int readLength));
                    CollectionAssert.AreEqual(payload, read[..readLength]);
                }
                else
                {
                    if (fromInitiator is null)
                    {
                        (fromInitiator, _) = initiator.Split();
                        (fromResponder, _) = responder.Split();
                        if (vector.TryGetProperty("handshake_hash", out JsonElement hash))
                            Assert.AreEqual(hash.GetString(), Convert.ToHexStringLower(responder.HandshakeHash));
                    }
                    // The responder, who wrote last but one, sends the odd ones.
                    var written = new byte[payload.Length + NoiseCipher.TagBytes];
                    (index % 2 == 0 ? fromInitiator : fromResponder)!.Encrypt(payload, written.AsSpan(0, payload.Length), written.AsSpan(payload.Length));
                    CollectionAssert.AreEqual(expected, written, $"message {index}");
                }
                index++;
            }
            Assert.IsTrue(index > 3);
            count++;
        }
        Assert.IsTrue(count >= 2);
    }

    [TestMethod]
    public void Any_flipped_bit_of_any_message_is_refused()
    {
        for (int flipped = 0; flipped < 3; flipped++)
        {
            for (int at = 0; at < 64; at += 7)
            {
                using NoiseKeyPair a = NoiseKeyPair.Generate(), b = NoiseKeyPair.Generate();
                using var initiator = new NoiseHandshake(true, [], a, NoiseKeyPair.Generate());
                using var responder = new NoiseHandshake(false, [], b, NoiseKeyPair.Generate());
                bool refused = false;
                for (int message = 0; message < 3 && !refused; message++)
                {
                    (NoiseHandshake writer, NoiseHandshake reader) = message == 1 ? (responder, initiator) : (initiator, responder);
                    var bytes = new byte[200];
                    Assert.IsTrue(writer.TryWriteMessage("payload"u8, bytes, out int length));
                    if (message == flipped)
                        bytes[at % length] ^= 0x10;
                    refused = !reader.TryReadMessage(bytes.AsSpan(0, length), new byte[length], out _);
                }
                Assert.IsTrue(refused, $"message {flipped}, byte {at}");
            }
        }
    }

    [TestMethod]
    public void A_message_cut_short_anywhere_is_refused()
    {
        using NoiseKeyPair a = NoiseKeyPair.Generate(), b = NoiseKeyPair.Generate();
        for (int cut = 0; cut < 96; cut++)
        {
            using var initiator = new NoiseHandshake(true, [], a, NoiseKeyPair.Generate());
            using var responder = new NoiseHandshake(false, [], b, NoiseKeyPair.Generate());
            var bytes = new byte[96];
            initiator.TryWriteMessage([], bytes, out int length);
            Assert.IsTrue(responder.TryReadMessage(bytes.AsSpan(0, length), bytes, out _));
            responder.TryWriteMessage([], bytes, out length);
            Assert.AreEqual(96, length);
            Assert.IsFalse(initiator.TryReadMessage(bytes.AsSpan(0, cut), new byte[96], out _), $"cut to {cut}");
        }
        using var third = new NoiseHandshake(false, [], b, NoiseKeyPair.Generate());
        Assert.IsFalse(third.TryReadMessage(new byte[31], new byte[31], out _));
    }

    [TestMethod]
    public void A_key_of_small_order_is_refused()
    {
        using NoiseKeyPair a = NoiseKeyPair.Generate();
        using var responder = new NoiseHandshake(false, [], a, NoiseKeyPair.Generate());
        Assert.IsTrue(responder.TryReadMessage(new byte[32], new byte[32], out _), "the first message holds nothing to agree on yet");
        Assert.IsFalse(responder.TryWriteMessage([], new byte[200], out _));
    }

    [TestMethod]
    public void Messages_out_of_turn_are_a_mistake_of_the_caller()
    {
        using NoiseKeyPair a = NoiseKeyPair.Generate();
        using var responder = new NoiseHandshake(false, [], a, NoiseKeyPair.Generate());
        Assert.ThrowsExactly<InvalidOperationException>(() => responder.TryWriteMessage([], new byte[200], out _));
        Assert.ThrowsExactly<InvalidOperationException>(() => responder.Split());
    }

    [TestMethod]
    public void A_direction_ends_at_its_last_frame_number()
    {
        using var cipher = new NoiseCipher(new byte[32]) { Frames = NoiseCipher.MaxFrames - 1 };
        cipher.Encrypt([], [], new byte[16]);
        Assert.ThrowsExactly<IOException>(() => cipher.Encrypt([], [], new byte[16]));
        Assert.ThrowsExactly<IOException>(() => cipher.TryDecrypt([], new byte[16]));
    }

    private static NoiseHandshake NewSide(JsonElement vector, string side, bool isInitiator) => new(
        isInitiator,
        Hex(vector, $"{side}_prologue"),
        NoiseKeyPair.FromPrivateKey(Hex(vector, $"{side}_static")),
        NoiseKeyPair.FromPrivateKey(Hex(vector, $"{side}_ephemeral")));

    private static byte[] Hex(JsonElement element, string name) => Convert.FromHexString(element.GetProperty(name).GetString()!);
}
