using Microsoft.OpenApi;

namespace RewardModel.Server.Protocols;

/// <summary>JSON schemas of requests and responses, as the OpenAPI document has them.</summary>
internal static class Schemas
{
    public static OpenApiSchema Text(string? description = null) => Of(JsonSchemaType.String, description);

    public static OpenApiSchema Number(string? description = null) => Of(JsonSchemaType.Number, description);

    public static OpenApiSchema Integer(string? description = null) => Of(JsonSchemaType.Integer, description);

    public static OpenApiSchema Flag(string? description = null) => Of(JsonSchemaType.Boolean, description);

    public static OpenApiSchema ArrayOf(OpenApiSchema items, string? description = null)
    {
        var schema = Of(JsonSchemaType.Array, description);
        schema.Items = items;
        return schema;
    }

    /// <summary>One of several schemas.</summary>
    public static OpenApiSchema AnyOf(string? description, params IEnumerable<OpenApiSchema> schemas) =>
        new() { AnyOf = [.. schemas], Description = description };

    /// <summary>The same schema, or null.</summary>
    public static OpenApiSchema OrNull(OpenApiSchema schema)
    {
        schema.Type |= JsonSchemaType.Null;
        return schema;
    }

    /// <summary>An object. Its members are required, but for those whose names end with a question mark.</summary>
    public static OpenApiSchema ObjectOf(params IEnumerable<(string Name, OpenApiSchema Schema)> members)
    {
        var all = members.ToArray();
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = all.ToDictionary(member => member.Name.TrimEnd('?'), member => (IOpenApiSchema)member.Schema),
            Required = all.Where(member => !member.Name.EndsWith('?')).Select(member => member.Name).ToHashSet(),
        };
    }

    /// <summary>A message of a conversation; templates may read other members as well.</summary>
    public static OpenApiSchema Message() =>
        ObjectOf(("role", Text("Who speaks: system, user, assistant, ...")), ("content?", new OpenApiSchema()));

    private static OpenApiSchema Of(JsonSchemaType type, string? description) => new() { Type = type, Description = description };
}
