namespace P2P.Core.Tests;

[TestClass]
public sealed class HouseTests
{
    [TestMethod]
    public void The_library_targets_this_framework() => Assert.AreEqual(10, Environment.Version.Major);
}
