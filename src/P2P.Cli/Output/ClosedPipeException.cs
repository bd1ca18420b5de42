namespace P2P.Cli.Output;

/// <summary>Whoever read our output has gone: the process ends quietly with 0, as <c>head</c> and <c>less</c> expect.</summary>
internal sealed class ClosedPipeException(Exception innerException) : IOException("The reader of the output has gone.", innerException);
