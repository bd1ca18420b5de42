using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace P2P.Core.Tests.House;

/// <summary>Writes down what an assembly offers, one sorted line for each type and member.</summary>
internal static class PublicApi
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(char)] = "char",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(double)] = "double",
        [typeof(ushort)] = "ushort",
    };

    public static IEnumerable<string> Describe(Assembly assembly) =>
        assembly.GetExportedTypes().SelectMany(type => Members(type).Prepend(Header(type))).Order(StringComparer.Ordinal);

    public static bool IsOneOf(this string name, IEnumerable<string> names) => names.Contains(name, StringComparer.Ordinal);

    private static string Header(Type type)
    {
        string kind = type.IsEnum ? "enum" : type.IsValueType ? "struct" : type.IsInterface ? "interface"
            : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsSealed ? "sealed class" : "class";
        IEnumerable<Type> bases = type.IsEnum ? [] : type.GetInterfaces().Where(face => face.IsPublic)
            .Prepend(type.BaseType).OfType<Type>().Where(parent => parent != typeof(object) && parent != typeof(ValueType));
        string[] names = [.. bases.Select(parent => Name(parent)).Order(StringComparer.Ordinal)];
        return $"{FullName(type)}: {kind}{(names.Length == 0 ? "" : " : ")}{string.Join(", ", names)}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        foreach (MemberInfo member in type.GetMembers(Declared).Where(member => !member.IsDefined(typeof(CompilerGeneratedAttribute)) || member is MethodInfo { IsSpecialName: false }))
        {
            string? text = member switch
            {
                FieldInfo field when IsVisible(field.Attributes) && !field.IsSpecialName => $"{(field.IsLiteral && !type.IsEnum ? "const " : "")}{Name(field.FieldType)} {field.Name}{Value(field)}",
                PropertyInfo property => Describe(property),
                MethodInfo { IsSpecialName: true } method when method.Name.StartsWith("op_", StringComparison.Ordinal) => Describe(method),
                MethodInfo { IsSpecialName: false } method when IsVisible(method.Attributes) && !method.Name.Contains('<', StringComparison.Ordinal) => Describe(method),
                ConstructorInfo constructor when IsVisible(constructor.Attributes) => $"new({Parameters(constructor)})",
                EventInfo @event => $"event {@event.Name}",
                _ => null,
            };
            if (text is not null)
            {
                yield return $"{FullName(type)}.{text}";
            }
        }
    }

    private static string Describe(MethodInfo method) =>
        $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}{Generics(method)}({Parameters(method)})";

    private static string? Describe(PropertyInfo property)
    {
        bool canGet = property.GetMethod is { } getter && IsVisible(getter.Attributes);
        bool canSet = property.SetMethod is { } setter && IsVisible(setter.Attributes);
        if (!canGet && !canSet)
        {
            return null;
        }

        bool isInit = canSet && property.SetMethod!.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
        bool isStatic = (property.GetMethod ?? property.SetMethod)!.IsStatic;
        return $"{(isStatic ? "static " : "")}{Name(property.PropertyType)} {property.Name} {{{(canGet ? " get;" : "")}{(canSet ? isInit ? " init;" : " set;" : "")} }}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{(parameter.IsOut ? "out " : parameter.ParameterType.IsByRef ? "ref " : "")}{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + Constant(parameter.RawDefaultValue) : "")}"));

    private static string Generics(MethodInfo method) => method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(type => type.Name))}>" : "";

    private static string Value(FieldInfo field) => field.IsLiteral ? $" = {Constant(field.GetRawConstantValue())}" : "";

    private static string Constant(object? value) => value switch
    {
        null => "default",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static bool IsVisible(MethodAttributes attributes) => (attributes & MethodAttributes.MemberAccessMask) is MethodAttributes.Public or MethodAttributes.Family or MethodAttributes.FamORAssem;

    private static bool IsVisible(FieldAttributes attributes) => (attributes & FieldAttributes.FieldAccessMask) is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem;

    private static string FullName(Type type) => $"{type.Namespace}.{(type.DeclaringType is null ? "" : Name(type.DeclaringType) + ".")}{Name(type)}";

    private static string Name(Type type)
    {
        if (type.IsByRef)
        {
            return Name(type.GetElementType()!);
        }

        if (type.IsArray)
        {
            return Name(type.GetElementType()!) + "[]";
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return Name(underlying) + "?";
        }

        if (!type.IsGenericType)
        {
            return Keywords.GetValueOrDefault(type, type.Name);
        }

        return $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
