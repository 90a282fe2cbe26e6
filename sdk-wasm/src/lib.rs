//! Browser binding of rubrica-core.
