namespace P2P.Cli.Tests;

[TestClass]
public sealed class FrameworkTests
{
    [TestMethod]
    public void The_library_targets_this_framework() => Assert.AreEqual(10, Environment.Version.Major);
}
