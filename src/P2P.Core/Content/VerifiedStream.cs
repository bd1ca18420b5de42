namespace P2P.Core.Content;

/// <summary>One file of a DAG as a seekable stream: fetches what is read and a little ahead, every byte verified before it is returned.</summary>
internal abstract class VerifiedStream : Stream
{
}
