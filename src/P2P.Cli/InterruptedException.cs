namespace P2P.Cli;

/// <summary>The user or the system ended work that was asked for; the message says what is kept and how to go on.</summary>
internal sealed class InterruptedException(string message) : Exception(message);
