using System.Globalization;
using System.Text;

namespace P2P.Core.Discovery;

/// <summary>
/// Names as text: labels joined by dots; a dot or a backslash in a label, and every byte that is no printable ASCII, behind a backslash (RFC 4343, 2.1). Names
/// are the same whatever the case of their letters.
/// </summary>
internal static class DnsNames
{
    private const int MaxLabelBytes = 63;

    /// <summary>Whether two names are the same.</summary>
    public static bool AreSame(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);

    /// <summary>Writes a label as text.</summary>
    public static void AppendLabel(StringBuilder text, ReadOnlySpan<byte> label)
    {
        foreach (byte one in label)
        {
            if (one is (byte)'.' or (byte)'\\')
                text.Append('\\').Append((char)one);
            else if (one is > 0x20 and < 0x7f)
                text.Append((char)one);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\{one:000}");
        }
    }

    /// <summary>The labels of a name.</summary>
    /// <exception cref="FormatException">It is no name, or a label is longer than 63 bytes.</exception>
    public static List<byte[]> Split(string name)
    {
        List<byte[]> labels = [];
        List<byte> label = [];
        for (int i = 0; i < name.Length; i++)
        {
            char one = name[i];
            if (one == '.')
            {
                End();
                continue;
            }

            if (one == '\\' && i + 3 < name.Length && byte.TryParse(name.AsSpan(i + 1, 3), NumberStyles.None, CultureInfo.InvariantCulture, out byte number))
            {
                label.Add(number);
                i += 3;
                continue;
            }

            if (one == '\\')
                one = ++i < name.Length ? name[i] : throw new FormatException("A name ends with a backslash.");
            label.Add(one < 0x80 ? (byte)one : throw new FormatException("A name has a letter outside of ASCII."));
        }

        if (name.Length > 0)
            End();
        return labels;

        void End()
        {
            if (label.Count is 0 or > MaxLabelBytes)
                throw new FormatException("A label of a name is empty or longer than 63 bytes.");
            labels.Add([.. label]);
            label.Clear();
        }
    }
}
