using System.Diagnostics;
using System.Globalization;
using P2P.Core.Cryptography;
using P2P.Tests.Shared;

namespace P2P.Core.Tests.Cryptography;

/// <summary>
/// Goal: agree with another implementation where no vector looks. Method: node (OpenSSL) makes random cases, some with edge values, and writes
/// records of fixed size to a pipe; each is computed again here. P2P_CRYPTO_CASES changes the number of cases.
/// </summary>
[TestClass]
[SlowTest]
public sealed class NodeCryptographyTests
{
    private const int DefaultCases = 1_000_000;
    private const int Batch = 2_000;

    /// <summary>x25519: private 32, peer 32, own public 32, shared 32 (zeros where node refuses).</summary>
    private const int AgreementBytes = 128;

    /// <summary>ed25519: seed 32, public 32, message length 1, message 64, signature 64, changed signature 64, verdict on it 1.</summary>
    private const int SignatureBytes = 258;

    private const string AgreementScript = """
        const c = require('crypto'), fs = require('fs');
        const privateKey = d => c.createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', d: d.toString('base64url'), x: d.toString('base64url') }, format: 'jwk' });
        const publicKey = x => c.createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: x.toString('base64url') }, format: 'jwk' });
        const low = ['00'.repeat(32), '01' + '00'.repeat(31), 'ec' + 'ff'.repeat(30) + '7f', 'ed' + 'ff'.repeat(30) + '7f', 'ee' + 'ff'.repeat(30) + '7f',
          'ff'.repeat(32), 'f0' + 'ff'.repeat(31), '09' + '00'.repeat(31)].map(h => Buffer.from(h, 'hex'));
        const out = Buffer.alloc(128 * BATCH);
        for (let left = CASES; left > 0; left -= BATCH) {
          for (let i = 0; i < BATCH; i++) {
            const k = c.randomBytes(32), u = i % 16 ? c.randomBytes(32) : low[(i / 16) % low.length];
            if (i % 16 === 1) k.fill(i % 32 === 1 ? 0 : 255, 0, i % 33);
            const key = privateKey(k), pub = Buffer.from(c.createPublicKey(key).export({ format: 'jwk' }).x, 'base64url');
            let shared = Buffer.alloc(32);
            try { shared = c.diffieHellman({ privateKey: key, publicKey: publicKey(u) }); } catch { }
            Buffer.concat([k, u, pub, shared]).copy(out, i * 128);
          }
          for (let n = 0; n < out.length;) n += fs.writeSync(1, out, n);
        }
        """;

    private const string SignatureScript = """
        const c = require('crypto'), fs = require('fs');
        const privateKey = d => c.createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d: d.toString('base64url'), x: d.toString('base64url') }, format: 'jwk' });
        const size = 258, out = Buffer.alloc(size * BATCH);
        for (let left = CASES; left > 0; left -= BATCH) {
          for (let i = 0; i < BATCH; i++) {
            const seed = c.randomBytes(32), length = c.randomBytes(1)[0] % 65, message = c.randomBytes(length);
            const key = privateKey(seed), publicKey = c.createPublicKey(key), pub = Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url');
            const signature = c.sign(null, message, key), changed = Buffer.from(signature);
            if (i % 4) changed[c.randomBytes(1)[0] % 64] ^= 1 << (i % 8);
            const verdict = c.verify(null, message, publicKey, changed);
            const r = out.subarray(i * size, (i + 1) * size);
            seed.copy(r, 0); pub.copy(r, 32); r[64] = length; message.copy(r, 65); signature.copy(r, 129); changed.copy(r, 193); r[257] = verdict ? 1 : 0;
          }
          for (let n = 0; n < out.length;) n += fs.writeSync(1, out, n);
        }
        """;

    [TestMethod]
    public Task Random_agreements_are_those_of_node() => CompareAsync(AgreementScript, Cases / 2, AgreementBytes, static record =>
    {
        Span<byte> result = stackalloc byte[32];
        X25519.DerivePublicKey(record[..32], result);
        Assert.IsTrue(result.SequenceEqual(record[64..96]), $"public key of {Convert.ToHexString(record[..32])}");
        bool agreed = X25519.TryAgree(record[..32], record[32..64], result);
        Assert.IsTrue(result.SequenceEqual(record[96..128]), $"{Convert.ToHexString(record[..32])} with {Convert.ToHexString(record[32..64])}");
        Assert.AreEqual(record[96..128].ContainsAnyExcept((byte)0), agreed);
    });

    [TestMethod]
    public Task Random_signatures_are_those_of_node() => CompareAsync(SignatureScript, Cases / 2, SignatureBytes, static record =>
    {
        ReadOnlySpan<byte> seed = record[..32], publicKey = record[32..64], message = record.Slice(65, record[64]);
        Span<byte> key = stackalloc byte[32], signature = stackalloc byte[64];
        Ed25519.DerivePublicKey(seed, key);
        Assert.IsTrue(key.SequenceEqual(publicKey), $"public key of {Convert.ToHexString(seed)}");
        Ed25519.Sign(seed, message, signature);
        Assert.IsTrue(signature.SequenceEqual(record[129..193]), $"signature of {Convert.ToHexString(seed)}");
        Assert.AreEqual(record[257] == 1, Ed25519.Verify(publicKey, message, record[193..257]), $"{Convert.ToHexString(record)}");
    });

    private static int Cases =>
        int.TryParse(Environment.GetEnvironmentVariable("P2P_CRYPTO_CASES"), NumberStyles.None, CultureInfo.InvariantCulture, out int cases) ? cases : DefaultCases;

    private delegate void RecordCheck(ReadOnlySpan<byte> record);

    private static async Task CompareAsync(string script, int cases, int recordBytes, RecordCheck check)
    {
        int batches = (cases + Batch - 1) / Batch;
        using Process node = StartOrSkip($"const CASES = {batches * Batch}, BATCH = {Batch};\n{script}");
        byte[] buffer = new byte[recordBytes * Batch];
        try
        {
            for (int i = 0; i < batches; i++)
            {
                await node.StandardOutput.BaseStream.ReadExactlyAsync(buffer);
                Parallel.For(0, Batch, j => check(buffer.AsSpan(j * recordBytes, recordBytes)));
            }

            await node.WaitForExitAsync();
            Assert.AreEqual(0, node.ExitCode);
        }
        finally
        {
            if (!node.HasExited)
                node.Kill();
        }
    }

    private static Process StartOrSkip(string script)
    {
        ProcessStartInfo start = new("node") { RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add("-e");
        start.ArgumentList.Add(script);
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Inconclusive("needs node on the PATH");
            throw;
        }
    }
}
