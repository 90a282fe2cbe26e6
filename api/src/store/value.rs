//! Values that go into statements and come out of rows, the same for both databases.

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// SQL NULL of any type.
    Null,
    /// A 64-bit integer; times are milliseconds since 1970.
    Integer(i64),
    /// UTF-8 text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
    /// A set of texts, for `EACH_TEXT(?)`.
    Texts(Vec<&'a str>),
    /// A set of integers, for `EACH_INTEGER(?)`.
    Integers(&'a [i64]),
}

/// What can be a parameter.
pub(crate) trait ToValue {
    /// Borrows it as a parameter.
    fn to_value(&self) -> Value<'_>;
}

/// Parameters of a statement, from values of any kind that is [`ToValue`].
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::store::ToValue::to_value(&$value)),*] };
}
pub(crate) use params;

impl ToValue for i64 {
    fn to_value(&self) -> Value<'_> {
        Value::Integer(*self)
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl ToValue for [i64] {
    fn to_value(&self) -> Value<'_> {
        Value::Integers(self)
    }
}

impl ToValue for Vec<i64> {
    fn to_value(&self) -> Value<'_> {
        Value::Integers(self)
    }
}

impl ToValue for Vec<&str> {
    fn to_value(&self) -> Value<'_> {
        Value::Texts(self.clone())
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

/// A column of a row, as the database holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnValue<'a> {
    /// SQL NULL.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// UTF-8 text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// What can be read from a column.
pub(crate) trait FromColumn: Sized {
    /// `None` when the column holds something else.
    fn from_column(value: ColumnValue<'_>) -> Option<Self>;
}

impl FromColumn for i64 {
    fn from_column(value: ColumnValue<'_>) -> Option<Self> {
        if let ColumnValue::Integer(integer) = value { Some(integer) } else { None }
    }
}

impl FromColumn for String {
    fn from_column(value: ColumnValue<'_>) -> Option<Self> {
        if let ColumnValue::Text(text) = value { Some(text.to_owned()) } else { None }
    }
}

impl FromColumn for Vec<u8> {
    fn from_column(value: ColumnValue<'_>) -> Option<Self> {
        if let ColumnValue::Blob(bytes) = value { Some(bytes.to_vec()) } else { None }
    }
}

impl<const N: usize> FromColumn for [u8; N] {
    fn from_column(value: ColumnValue<'_>) -> Option<Self> {
        if let ColumnValue::Blob(bytes) = value { bytes.try_into().ok() } else { None }
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(value: ColumnValue<'_>) -> Option<Self> {
        if value == ColumnValue::Null { Some(None) } else { T::from_column(value).map(Some) }
    }
}
