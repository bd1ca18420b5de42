namespace P2P.Cli.Configuration;

/// <summary>How the file writes a value.</summary>
internal enum SettingForm
{
    /// <summary>As a text; sizes and times too.</summary>
    Text,

    /// <summary>As true or false.</summary>
    Flag,

    /// <summary>As a number.</summary>
    Count,

    /// <summary>As a list of texts.</summary>
    List,
}
