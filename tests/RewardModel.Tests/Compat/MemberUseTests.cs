using System.Reflection;

namespace RewardModel.Tests.Compat;

public sealed class MemberUseTests
{
    private readonly MemberUse use = new(typeof(MemberUseTests).Module, [typeof(User)]);

    [Theory]
    [InlineData(nameof(Used<>.Called))]
    [InlineData(nameof(Used<>.CalledWithTypeArgument))]
    [InlineData(nameof(Used<>.Referenced))]
    [InlineData(nameof(Used<>.CalledAfterASwitch))]
    [InlineData(nameof(Used<>.Overridden))]
    [InlineData(nameof(Used<>.Read))]
    [InlineData(".ctor")]
    public void What_the_code_refers_to_is_used(string name) => Assert.True(use.Uses(MemberOf(name)));

    [Fact]
    public void What_it_does_not_refer_to_is_not_used() => Assert.False(use.Uses(MemberOf(nameof(Used<>.Unused))));

    private static MemberInfo MemberOf(string name) =>
        typeof(Used<>).GetMember(name, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance).Single();

    private abstract class Used<T>
    {
        public T? Read = default;

        public virtual int Overridden() => 0;

        public int Called() => 1;

        public TOther? CalledWithTypeArgument<TOther>() => default;

        public int Referenced() => 2;

        public int CalledAfterASwitch() => 3;

        public int Unused() => 4;
    }

    private sealed class User : Used<int>
    {
        public override int Overridden() => 1;

        public int Use(int choice)
        {
            Func<int> reference = Referenced;
            var sum = Called() + CalledWithTypeArgument<int>() + Read + reference();
            switch (choice)
            {
                case 0:
                    return sum;
                case 1:
                    return sum + 1;
                case 2:
                    return sum - 1;
                case 3:
                    return -sum;
                default:
                    return CalledAfterASwitch();
            }
        }
    }
}
