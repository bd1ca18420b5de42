// A test of your own app with real nodes and without a network:  dotnet run testing.cs
#:package P2P.Testing@0.1.0-preview.1
#:package MSTest.TestFramework@4.5.2
#:package MSTest.TestAdapter@4.5.2
#:property EnableMSTestRunner=true
#:property OutputType=Exe
#:property PublishAot=false
using Microsoft.VisualStudio.TestTools.UnitTesting;
using P2P.Core;
using P2P.Testing;

[TestClass]
public sealed class PhotoSharingTests
{
    [TestMethod]
    public async Task A_photo_reaches_the_other_device_and_is_gone_when_it_is_not_shared_any_more()
    {
        string folder = Directory.CreateTempSubdirectory("photos-").FullName;
        try
        {
            await using var network = new TestNetwork(seed: 1);
            P2PNode phone = await network.StartNodeAsync(), laptop = await network.StartNodeAsync();
            string photo = Path.Combine(folder, "photo.jpg"), copy = Path.Combine(folder, "copy.jpg");
            await File.WriteAllBytesAsync(photo, new byte[100_000]);

            Share share = await phone.ShareAsync(photo);
            FetchResult result = await laptop.FetchAsync(share.Link, copy);
            Assert.AreEqual(100_000, result.Bytes);
            CollectionAssert.AreEqual(await File.ReadAllBytesAsync(photo), await File.ReadAllBytesAsync(copy));

            Assert.IsTrue(await phone.StopSharingAsync(share.Root));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
