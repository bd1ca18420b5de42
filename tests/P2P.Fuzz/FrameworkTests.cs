namespace P2P.Fuzz;

[TestClass]
public sealed class FrameworkTests
{
    [TestMethod]
    public void The_library_targets_this_framework() => Assert.AreEqual(10, Environment.Version.Major);
}
