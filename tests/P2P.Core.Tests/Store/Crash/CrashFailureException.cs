namespace P2P.Core.Tests.Store.Crash;

/// <summary>The store did not keep a promise.</summary>
internal sealed class CrashFailureException(string message, Exception? inner = null) : Exception(message, inner);
